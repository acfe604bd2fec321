import { expect, test } from 'vitest';
import { isServedUnconfirmed, isWordEnough } from './decide.ts';

const STANDING = { source: undefined, isFromUpstream: false, isRecovered: false };
const CLOSED = { isOpen: false, checksReferences: false };
const OPEN = { isOpen: true, checksReferences: false };
const NEVER = { isServed: false, isWordEnough: false };

test.each([
  ['bytes that it has given', { ...STANDING, isFromUpstream: true }, NEVER, true],
  [
    'bytes that it has not given, which a manifest names',
    { ...STANDING, source: 'claimed' as const },
    NEVER,
    false,
  ],
  ['recovered bytes beside upstreams with accounts', { ...STANDING, isRecovered: true }, NEVER, false],
  [
    'recovered bytes of the only upstream',
    { ...STANDING, isRecovered: true },
    { ...NEVER, isWordEnough: true },
    true,
  ],
  ['others, if that is enough for recovered ones', STANDING, { ...NEVER, isWordEnough: true }, false],
])('an upstream’s word for %s', (_, standing, recovered, expected) => {
  expect(isWordEnough(standing, recovered)).toBe(expected);
});

const CLAIM = { ...STANDING, source: 'claimed' as const, isFromUpstream: true };
const SERVED = { isServed: true, isWordEnough: true };

test.each([
  ['an open upstream’s claim', CLAIM, OPEN, NEVER, true],
  ['a claim of an upstream that serves clients differently', CLAIM, CLOSED, NEVER, false],
  ['a claim to another upstream’s bytes', { ...CLAIM, isFromUpstream: false }, OPEN, NEVER, false],
  ['bytes that nothing claims', { ...CLAIM, source: undefined }, OPEN, NEVER, false],
  ['recovered bytes', { ...STANDING, isRecovered: true }, CLOSED, SERVED, true],
  ['recovered bytes beside upstreams with accounts', { ...STANDING, isRecovered: true }, OPEN, NEVER, false],
])('while upstream cannot be asked, %s', (_, standing, policy, recovered, expected) => {
  expect(isServedUnconfirmed(standing, policy, recovered)).toBe(expected);
});
