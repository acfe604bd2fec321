import type { Writable } from 'node:stream';

/**
 * Writes each text as it comes, at the speed of the reader. Ends without an error when the reader has closed its end
 * (`| head`): then the texts that are left are not even made.
 * @throws the stream's error, if it is another one
 */
export async function writeTexts(
  texts: AsyncIterable<string | Uint8Array>,
  stream: Writable = process.stdout,
): Promise<void> {
  // The error of a write comes to its callback; without a listener, the stream's event would end the process.
  const ignore = (): void => undefined;
  stream.on('error', ignore);
  for await (const text of texts) {
    const error = await written(stream, text);
    if (error === undefined) continue;
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
    throw error;
  }
  stream.off('error', ignore);
}

async function written(stream: Writable, text: string | Uint8Array): Promise<Error | undefined> {
  return new Promise((resolve) => {
    stream.write(text, (error) => resolve(error ?? undefined));
  });
}

/** Makes lines of pages: each page is one text. */
export async function* asLines(pages: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield `${page.join('\n')}\n`;
  }
}

/**
 * Makes one JSON object of pages, which never needs all of them at once. If the first page fails, nothing is made.
 * @param head the members in front of the list
 * @param name of the member that is the list
 */
export async function* asJson(
  head: Readonly<Record<string, unknown>>,
  name: string,
  pages: AsyncIterable<readonly unknown[]>,
): AsyncGenerator<string> {
  const members = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  let start = `{\n${members.join('')}  ${JSON.stringify(name)}: [`;
  let separator = '\n';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield start + separator + page.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n');
    start = '';
    separator = ',\n';
  }
  yield start === '' ? '\n  ]\n}\n' : `${start}]\n}\n`;
}

/** Writes bytes as they are, like `writeTexts`. */
export async function writeBytes(bytes: Uint8Array): Promise<void> {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await writeTexts(whole());
}
