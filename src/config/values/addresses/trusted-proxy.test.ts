import { expect, test } from 'vitest';
import { z } from 'zod';
import { trustedProxy } from './trusted-proxy.ts';

test.each([
  ['unix', 'unix'],
  ['10.0.0.2', '10.0.0.2/32'],
  ['2001:DB8::/32', '2001:db8::/32'],
])('%s is read', (text, proxy) => {
  expect(z.decode(trustedProxy(), text)).toBe(proxy);
  expect(z.decode(trustedProxy(), z.encode(trustedProxy(), proxy))).toBe(proxy);
});

test.each(['UNIX', 'unix:/run/larder.sock', '', 'proxy.example'])('%j is no proxy', (text) => {
  expect(z.safeDecode(trustedProxy(), text).success).toBe(false);
});
