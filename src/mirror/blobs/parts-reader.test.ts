import { expect, test } from 'vitest';
import type { ContentRange } from '../../http/ranges/range.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { BytesReader } from '../../store/bytes-reader.ts';
import { ForwardingReader } from '../../store/forwarding-reader.ts';
import { PartsReader } from './parts-reader.ts';

const CONTENT = Buffer.from('0123456789');
const PARTS: ContentRange[] = [
  { start: 1, end: 3, size: 10 },
  { start: 5, end: 6, size: 10 },
  { start: 8, end: 10, size: 10 },
];

/** A reader that logs when it is closed. */
class NamedReader extends ForwardingReader {
  readonly #close: () => void;

  constructor(name: string, log: string[]) {
    super(new BytesReader(CONTENT));
    this.#close = () => log.push(`close ${name}`);
  }

  override async close(): Promise<void> {
    this.#close();
    await super.close();
  }
}

async function readParts(reader: BlobReader): Promise<string> {
  let text = '';
  for (const { start, end } of PARTS) {
    const bytes = Buffer.alloc(end - start);
    await reader.available(start);
    await reader.read(bytes, start);
    text += `${bytes.toString()} `;
  }
  return text.trim();
}

test('one part is open at a time, and a part that is not opened by itself comes from the rest', async () => {
  const log: string[] = [];
  const open = async ({ start }: ContentRange): Promise<BlobReader | undefined> => {
    log.push(`open ${start}`);
    return start === 5 ? undefined : new NamedReader(String(start), log);
  };
  const reader = new PartsReader({ size: 10, parts: PARTS, open, rest: new NamedReader('rest', log) });
  expect(await readParts(reader)).toBe('12 5 89');
  await reader.close();
  expect(log).toEqual(['open 1', 'close 1', 'open 5', 'open 8', 'close 8', 'close rest']);
});

test('the first part, open already, is not opened again, and is closed before the next one is opened', async () => {
  const log: string[] = [];
  const open = async ({ start }: ContentRange): Promise<BlobReader> => {
    log.push(`open ${start}`);
    return new NamedReader(String(start), log);
  };
  const reader = new PartsReader({ size: 10, parts: PARTS, open, first: new NamedReader('first', log) });
  expect(await readParts(reader)).toBe('12 5 89');
  await reader.close();
  expect(log).toEqual(['close first', 'open 5', 'close 5', 'open 8', 'close 8']);
});

test('a part that opens once the client has left is closed', async () => {
  const log: string[] = [];
  const opened = Promise.withResolvers<BlobReader>();
  const asked = Promise.withResolvers<undefined>();
  const open = (): Promise<BlobReader> => {
    asked.resolve(undefined);
    return opened.promise;
  };
  const reader = new PartsReader({ size: 10, parts: PARTS, open });
  const waiting = reader.available(1).catch((error: unknown) => error);
  await asked.promise;
  await reader.close();
  opened.resolve(new NamedReader('late', log));
  expect(await waiting).toMatchObject({ message: 'the reader was closed' });
  expect(log).toEqual(['close late']);
});

test('no part is opened for a client that has left while the one before was closed', async () => {
  const opened: number[] = [];
  const closing = Promise.withResolvers<undefined>();
  const first = new (class extends ForwardingReader {
    override async close(): Promise<void> {
      await closing.promise;
      await super.close();
    }
  })(new BytesReader(CONTENT));
  const open = async ({ start }: ContentRange): Promise<BlobReader> => {
    opened.push(start);
    return new BytesReader(CONTENT);
  };
  const reader = new PartsReader({ size: 10, parts: PARTS, open, first });
  await reader.available(1);
  const waiting = reader.available(5).catch((error: unknown) => error);
  await reader.close();
  closing.resolve(undefined);
  expect(await waiting).toMatchObject({ message: 'the reader was closed' });
  expect(opened).toEqual([]);
});
