import { expect, test } from 'vitest';
import { recoveredPolicy } from './recovered-policy.ts';

const OPEN = { permission: { isOpen: true } };
/** It has credentials, a repository that is forbidden, or rules that tell clients apart. */
const CLOSED = { permission: { isOpen: false } };

test.each([
  [[OPEN], { isServed: true, isWordEnough: true }],
  [[OPEN, OPEN], { isServed: true, isWordEnough: true }],
  [[CLOSED], { isServed: false, isWordEnough: true }],
  [[OPEN, CLOSED], { isServed: false, isWordEnough: false }],
  [[CLOSED, OPEN], { isServed: false, isWordEnough: false }],
])('of the upstreams %j: %j', (upstreams, expected) => {
  expect(recoveredPolicy(upstreams)).toEqual(expected);
});
