import { expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { isUnreadable, StoreError, VerificationError } from './error.ts';

test.each([
  ['a disk that cannot give the bytes back', new StoreError('read', { code: 'EIO' }), true],
  ['a full disk', new StoreError('read', { code: 'ENOSPC' }), false],
  ['no descriptors', new StoreError('read', { code: 'EMFILE' }), false],
  ['an error that is not the store’s', Object.assign(new Error('read'), { code: 'EIO' }), false],
  ['nothing', undefined, false],
])('the bytes are unreadable by %s', (_, error, expected) => {
  expect(isUnreadable(error)).toBe(expected);
});

test.each([
  [{ code: 'ENOSPC' }, 'ENOSPC'],
  [new Error('what'), 'UNKNOWN'],
  [null, 'UNKNOWN'],
  [undefined, 'UNKNOWN'],
])('the code of %o', (cause, code) => {
  expect(new StoreError('write', cause)).toMatchObject({ code, cause, message: `cannot write: ${code}` });
});

test('a VerificationError names the digest, if it is known', () => {
  const digest = digestOf('a');
  expect(new VerificationError({ digest }, 'too many').message).toBe(`${digest}: too many`);
  expect(new VerificationError({}, 'too many').message).toBe('bytes of unknown digest: too many');
});
