import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protectedHeader, signedSchema1 } from '../../../test/support/schema1.ts';
import { schema1Payload } from './schema1-payload.ts';

const encode = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));
const TAIL = Buffer.from('}').toString('base64url');

test('any signed bytes come out again', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 9 }), fc.jsonValue()), (members) => {
      const { bytes, payload } = signedSchema1({ schemaVersion: 1, ...members });
      // A member of that name would itself be taken for the signatures.
      if ('signatures' in members || '__proto__' in members) return;
      expect(schema1Payload(bytes)).toEqual(payload);
    }),
  );
});

test('any bytes give a payload or none, without throwing', () => {
  const header = fc.oneof(fc.jsonValue(), fc.record({ formatLength: fc.double(), formatTail: fc.string() }));
  fc.assert(
    fc.property(fc.array(header), (headers) => {
      schema1Payload(encode({ schemaVersion: 1, signatures: headers.map(protectedHeader) }));
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => schema1Payload(bytes) === undefined));
});

describe('there is no payload', () => {
  test.each([
    ['no signatures', { schemaVersion: 1 }],
    ['an empty list of them', { schemaVersion: 1, signatures: [] }],
    ['no header', { schemaVersion: 1, signatures: [{}] }],
    ['a negative length', { signatures: [protectedHeader({ formatLength: -1, formatTail: TAIL })] }],
    ['half a byte', { signatures: [protectedHeader({ formatLength: 0.5, formatTail: TAIL })] }],
    ['more than there is', { signatures: [protectedHeader({ formatLength: 9e9, formatTail: TAIL })] }],
    ['no tail', { signatures: [protectedHeader({ formatLength: 1 })] }],
  ])('of %s', (_name, document) => {
    expect(schema1Payload(encode(document))).toBeUndefined();
  });

  test('if two signatures disagree', () => {
    const { bytes } = signedSchema1({ schemaVersion: 1 });
    const other = JSON.stringify(protectedHeader({ formatLength: 0, formatTail: TAIL }));
    const both = bytes.toString().replace('"signatures": [', `"signatures": [${other},`);
    expect(schema1Payload(Buffer.from(both))).toBeUndefined();
  });

  test('if the document says more than the signed bytes', () => {
    const { bytes } = signedSchema1({ schemaVersion: 1, fsLayers: [] });
    const more = bytes.toString().replace(/\n\}$/, ',"fsLayers":[{"blobSum":"evil"}]}');
    expect(schema1Payload(Buffer.from(more))).toBeUndefined();
  });
});
