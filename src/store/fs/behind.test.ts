import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { behind } from './behind.ts';

test('what was taken and what is left are the whole, and nothing empty is left', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(chunks, fc.nat(110), (all, taken) => {
      const left = behind(all, taken);
      expect(Buffer.concat(left)).toEqual(Buffer.concat(all).subarray(taken));
      expect(left.every(({ length }) => length > 0)).toBe(true);
    }),
  );
});
