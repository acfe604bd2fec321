/** A GET, in the parts that its head is made of. */
export interface GetRequest {
  /** Host, and port if it is not the protocol's own. */
  readonly host: string;
  /** Path and query as they are sent. */
  readonly target: string;
  /** Names and values; without Host and Connection. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The characters that a request line can hold. */
const TARGET = /^\/[!-~]*$/;
const HOST = /^[!-~]+$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/** Returns the head as it is sent; undefined if some part of it cannot be sent as it is. */
export function formatGet({ host, target, headers }: GetRequest): string | undefined {
  const lines = Object.entries(headers);
  const isFit = lines.every(([name, value]) => NAME.test(name) && VALUE.test(value));
  if (!isFit || !TARGET.test(target) || !HOST.test(host)) return undefined;
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${fields}\r\n`;
}
