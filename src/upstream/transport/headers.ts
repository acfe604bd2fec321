/** Headers of an answer as undici gives them: names in lower case, repeated lines as a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Returns the first line of a header. */
export function headerText(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Returns Content-Length as a number of bytes; undefined if it is absent or no number. */
export function contentLength(headers: ResponseHeaders): number | undefined {
  const text = headerText(headers, 'content-length');
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
  return Number(text);
}
