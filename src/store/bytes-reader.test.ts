import { describe, expect, it } from 'vitest';
import { BytesReader } from './bytes-reader.ts';

const BYTES = Buffer.from('a small blob');

describe('a reader of bytes in memory', () => {
  it('has all of them at once', async () => {
    const reader = new BytesReader(BYTES);
    expect(reader.size).toBe(BYTES.length);
    expect(reader.fd).toBeUndefined();
    expect(await reader.available(0)).toBe(BYTES.length);
    expect(await reader.available(BYTES.length)).toBe(BYTES.length);
    expect(await reader.available(1000)).toBe(1000);
    await reader.close();
  });

  it('copies what is asked for, and no more', async () => {
    const into = Buffer.alloc(20, '-');
    expect(await new BytesReader(BYTES).read(into, 2)).toBe(10);
    expect(String(into)).toBe('small blob----------');
    expect(await new BytesReader(BYTES).read(into.subarray(0, 3), 0)).toBe(3);
    expect(String(into)).toBe('a sll blob----------');
  });

  it('has nothing to read at the end', async () => {
    await expect(new BytesReader(BYTES).read(Buffer.alloc(1), BYTES.length)).rejects.toThrow(RangeError);
  });
});
