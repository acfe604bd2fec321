import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { formatInventory, mergeInventories, parseInventory, type Inventory } from './inventory.ts';

const [A, B, C] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('an inventory', () => {
  it('is read as it was written, and written alike in whichever order it came', () => {
    const path = fc.constantFrom('a.io/x', 'a.io/y', 'b.io/x', '__proto__');
    const digests = fc.uniqueArray(fc.constantFrom(A, B, C));
    const entries = fc.uniqueArray(fc.tuple(path, digests), { selector: ([path]) => path });
    fc.assert(
      fc.property(entries, (entries) => {
        const inventory: Inventory = new Map(entries.map(([path, list]) => [path, new Set(list)]));
        const bytes = formatInventory(inventory);
        expect(parseInventory(bytes)).toEqual(inventory);
        const reversed = entries
          .toReversed()
          .map(([path, list]) => [path, new Set(list.toReversed())] as const);
        expect(formatInventory(new Map(reversed))).toEqual(bytes);
      }),
    );
  });

  it('is merged repository by repository', () => {
    const one: Inventory = new Map([['a.io/x', new Set([A])]]);
    const two: Inventory = new Map([
      ['a.io/x', new Set([A, B])],
      ['a.io/y', new Set([C])],
    ]);
    expect(mergeInventories([one, two])).toEqual(two);
    expect(mergeInventories([])).toEqual(new Map());
  });

  it.each([
    ['{', 'JSON'],
    ['[]', 'repositories'],
    ['{"version":1}', 'repositories'],
    ['{"version":2,"repositories":{}}', 'version'],
    ['{"version":1,"repositories":{"a.io/x":{}}}', 'a.io/x'],
    ['{"version":1,"repositories":{"a.io/x":["md5:0"]}}', 'md5:0'],
    ['{"version":1,"repositories":{"a.io/x":[7]}}', '7'],
  ])('is refused: %s', (text, reason) => expect(() => parseInventory(encode(text))).toThrow(reason));
});
