import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { scriptedBlob, type ScriptedBlob, type Transfer } from '../../../test/support/scripted-blob.ts';
import { bytesOf } from '../../../test/support/scripted-reader.ts';
import { createEvents } from '../../events.ts';
import { createDigester, digestOf } from '../../oci/digest.ts';
import { VerificationError } from '../../store/error.ts';
import { BlobSource } from '../transfer/blob-source.ts';
import { SourceReader } from './source-reader.ts';

const CONTENT = bytesOf(0, 4_500);
const DIGEST = digestOf(CONTENT);
const OTHER = Buffer.from(CONTENT);
OTHER[4_499] = 0xff;

interface Opened {
  readonly reader: SourceReader;
  readonly blob: ScriptedBlob;
}

async function open(
  transfer: Transfer,
  { start = 0, end, isChecked = false }: { start?: number; end?: number; isChecked?: boolean } = {},
  options: Parameters<typeof scriptedBlob>[2] = {},
): Promise<Opened> {
  const blob = scriptedBlob(CONTENT, [transfer], options);
  const deps = { clock: new ManualClock(), events: createEvents() };
  const source = await BlobSource.open(blob.target, DIGEST, { start, end }, deps);
  const digester = createDigester('sha256');
  digester.update(CONTENT.subarray(0, start));
  const check = isChecked ? { digest: DIGEST, digester } : undefined;
  return { reader: new SourceReader(source, 7, check), blob };
}

/** Reads as a delivery does, `step` bytes at a time, and returns how far it came. */
async function readAll(reader: SourceReader, start: number, step: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let position = start; ;) {
    const end = await reader.available(position);
    if (end === position) return Buffer.concat(parts);
    const into = Buffer.alloc(Math.min(step, end - position));
    const count = await reader.read(into, position);
    parts.push(into.subarray(0, count));
    position += count;
  }
}

describe.each([
  ['with a check', true],
  ['without', false],
])('%s', (_, isChecked) => {
  test.each([1, 333, 1_000, 10_000])('its bytes come in order, %i at a time', async (step) => {
    const { reader } = await open({}, { isChecked });
    expect((await readAll(reader, 0, step)).equals(CONTENT)).toBe(true);
  });

  test('it has nothing to read beyond the bytes that `available` has promised', async () => {
    const { reader } = await open({}, { isChecked });
    await expect(reader.read(Buffer.alloc(1), 0)).rejects.toThrow(RangeError);
    const end = await reader.available(0);
    await expect(reader.read(Buffer.alloc(1), end)).rejects.toThrow(RangeError);
  });

  test('the rest of a blob begins where it was asked for', async () => {
    const { reader } = await open({}, { start: 2_345, isChecked });
    expect((await readAll(reader, 2_345, 500)).equals(CONTENT.subarray(2_345))).toBe(true);
  });
});

test('a part is read from its start to its end', async () => {
  const { reader } = await open({}, { start: 100, end: 1_234 });
  expect((await readAll(reader, 100, 500)).equals(CONTENT.subarray(100, 1_234))).toBe(true);
});

test('its size is what upstream tells, or else what was known before', async () => {
  expect((await open({})).reader.size).toBe(4_500);
  expect((await open({}, {}, { isSizeUnknown: true })).reader.size).toBe(7);
});

describe('wrong bytes', () => {
  test('with a check, the last chunk is not given out', async () => {
    const { reader } = await open({ content: OTHER }, { isChecked: true });
    let position = 0;
    const reading = async (): Promise<void> => {
      for (;;) position = await reader.available(position);
    };
    await expect(reading()).rejects.toBeInstanceOf(VerificationError);
    expect(position).toBe(4_000);
  });

  test('with a check, a blob of one chunk is not given out at all', async () => {
    const { reader } = await open({ content: OTHER }, { isChecked: true }, { chunk: 10_000 });
    await expect(reader.available(0)).rejects.toBeInstanceOf(VerificationError);
  });

  test('with a check, the last chunk of too few bytes of unknown size is not given out either', async () => {
    const { reader } = await open({ upTo: 1_000 }, { isChecked: true }, { isSizeUnknown: true });
    await expect(reader.available(0)).rejects.toBeInstanceOf(VerificationError);
  });
});

test.each([
  ['has none to read', digestOf(''), { value: 0 }],
  ['that should have some fails the check', DIGEST, { reason: expect.any(VerificationError) as unknown }],
])('a blob of no bytes %s', async (_, digest, expected) => {
  const { target } = scriptedBlob(Buffer.alloc(0), [{}]);
  const deps = { clock: new ManualClock(), events: createEvents() };
  const source = await BlobSource.open(target, digest, { start: 0 }, deps);
  const reader = new SourceReader(source, 0, { digest, digester: createDigester('sha256') });
  expect(await Promise.allSettled([reader.available(0)])).toMatchObject([expected]);
});

test('bytes that have passed through cannot be read again', async () => {
  const { reader } = await open({});
  await reader.available(0);
  await reader.available(1_000);
  await expect(reader.read(Buffer.alloc(1), 999)).rejects.toThrow('passed through');
});

test('closing it ends the transfer', async () => {
  const { reader, blob } = await open({});
  await reader.available(0);
  expect(blob.open()).toBe(1);
  await reader.close();
  expect(blob.open()).toBe(0);
});
