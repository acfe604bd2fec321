import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNetwork } from './network.ts';
import { ValueError, valueOrError } from '../value-error.ts';

describe('parseNetwork', () => {
  test.each([
    ['10.0.0.2', '10.0.0.2/32'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::ffff:10.0.0.2', '10.0.0.2/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ])('reads %s', (text, network) => expect(parseNetwork(text)).toBe(network));

  test.each([
    '',
    '/8',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.0.0.1:80',
    '2001:db8::/129',
    '[::1]',
    'fe80::1%eth0',
    '10.0.0.0/\u0668',
    '*',
  ])('refuses %j', (text) =>
    expect(() => parseNetwork(text)).toThrow(/^expected an address or a network such as/),
  );

  test.each(['0.0.0.0/0', '::/0', '::ffff:0:0/96', '::ffff:0:0/40'])(
    'refuses a network of all addresses: %s',
    (text) => {
      expect(() => parseNetwork(text)).toThrow(/not of every address$/);
    },
  );

  test('is idempotent and throws nothing but ValueError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), fc.option(fc.nat(130)), (address, bits) => {
        const network = valueOrError(() => parseNetwork(bits === null ? address : `${address}/${bits}`));
        return network instanceof ValueError || parseNetwork(network) === network;
      }),
    );
  });
});
