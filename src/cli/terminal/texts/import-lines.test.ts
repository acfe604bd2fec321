import { expect, it } from 'vitest';
import { digestOf } from '../../../oci/digest.ts';
import { importLines } from './import-lines.ts';

const digest = digestOf('a');

it('says which images are here now, and why others are not', () => {
  const whole = { name: 'a.io/b:1', digest, leftOut: [], elsewhere: [] };
  const partial = { name: 'a.io/b:2', digest, leftOut: ['linux/arm64', 'linux/s390x'], elsewhere: [digest] };
  const refused = { name: 'a.io/b:3', digest, problems: ['the blob x is missing', 'the blob y is missing'] };
  expect(importLines('b.tar', { images: [whole, partial], refused: [refused], blobs: 9, added: 4 })).toEqual([
    `imported a.io/b:1 ${digest}`,
    `imported a.io/b:2 ${digest} (without linux/arm64, linux/s390x) (1 layers are in no registry)`,
    'not imported: a.io/b:3',
    '  the blob x is missing',
    '  the blob y is missing',
    '"b.tar": 2 of 3 images, 4 of 9 blobs are new',
  ]);
});
