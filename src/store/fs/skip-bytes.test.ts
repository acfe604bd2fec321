import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { skipBytes } from './skip-bytes.ts';

test('skipping bytes returns all the other bytes, and no empty chunk', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(chunks, fc.nat(110), (all, bytes) => {
      const rest = skipBytes(all, bytes);
      expect(Buffer.concat(rest)).toEqual(Buffer.concat(all).subarray(bytes));
      expect(rest.every(({ length }) => length > 0)).toBe(true);
    }),
  );
});
