import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Most bytes of a line that is no terminal's. */
const MAX_LINE = 4096;

/**
 * Reads a password: from a terminal, without showing it, twice; else the first line of standard input.
 * @throws Error if the two differ, or the input is interrupted, too long or no UTF-8
 */
export async function readPassword(input: NodeJS.ReadStream): Promise<string> {
  return input.isTTY ? askTwice(input) : readLine(input);
}

async function askTwice(input: NodeJS.ReadStream): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // It edits the line as a terminal does, and echoes to its output, which is nowhere.
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  try {
    const password = await ask(lines, 'Password: ');
    if ((await ask(lines, 'Once more: ')) !== password) throw new Error('the two passwords differ');
    return password;
  } finally {
    lines.close();
  }
}

async function ask(lines: Interface, prompt: string): Promise<string> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error('interrupted'));
  lines.once('SIGINT', interrupt).once('close', interrupt);
  process.stderr.write(prompt);
  try {
    return await lines.question('', { signal: interrupted.signal });
  } catch {
    throw new Error('interrupted');
  } finally {
    lines.off('SIGINT', interrupt).off('close', interrupt);
    process.stderr.write('\n');
  }
}

async function readLine(input: NodeJS.ReadStream): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes('\n')) break;
    if (bytes.length > MAX_LINE) throw new Error(`the line has more than ${MAX_LINE} bytes`);
  }
  return (decoded(bytes).split('\n', 1)[0] ?? '').replace(/\r$/, '');
}

/** Other bytes would all become the same character, and the password would be another one than the user's. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('the password is no valid UTF-8');
  }
}
