import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressScope, literalScope, mayReach, nearestScope } from './address.ts';

describe('addressScope', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'restricted'],
    ['::', 'restricted'],
    ['169.254.169.254', 'restricted'],
    ['169.254.170.2', 'restricted'],
    ['fe80::1', 'restricted'],
    ['fd00:ec2::254', 'restricted'],
    ['100.100.100.200', 'restricted'],
    ['168.63.129.16', 'restricted'],
    ['224.0.0.1', 'restricted'],
    ['255.255.255.255', 'restricted'],
    ['240.0.0.1', 'restricted'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:169.254.169.254', 'restricted'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::a00:1', 'private'],
    ['64:ff9b::808:808', 'public'],
    ['2002:7f00:1::', 'loopback'],
    ['fe80::1%eth0', 'restricted'],
    ['not an address', 'restricted'],
    ['', 'restricted'],
  ] as const)('%s is %s', (address, scope) => {
    expect(addressScope(address)).toBe(scope);
  });

  test('an IPv4 address has one scope, mapped or not', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => addressScope(address) === addressScope(`::ffff:${address}`)),
    );
  });
});

describe('mayReach', () => {
  test.each([
    ['public', 'public', false, true],
    ['private', 'public', false, false],
    ['loopback', 'public', false, false],
    ['private', 'public', true, true],
    ['loopback', 'public', true, true],
    ['restricted', 'public', true, false],
    ['private', 'private', false, true],
    ['loopback', 'private', false, false],
    ['loopback', 'loopback', false, true],
    ['private', 'loopback', false, true],
    ['restricted', 'loopback', true, false],
    ['restricted', 'restricted', false, false],
  ] as const)('%s from a %s upstream, allowPrivate %s: %s', (target, upstream, allowed, expected) => {
    expect(mayReach(target, upstream, allowed)).toBe(expected);
  });
});

test('nearestScope is the one closest to this machine', () => {
  expect(nearestScope([])).toBe('public');
  expect(nearestScope(['public', 'loopback', 'private'])).toBe('loopback');
  expect(nearestScope(['restricted', 'public'])).toBe('restricted');
});

describe('literalScope', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['[::1]', 'loopback'],
    ['[::ffff:a9fe:a9fe]', 'restricted'],
    ['localhost', 'loopback'],
    ['LOCALHOST.', 'loopback'],
    ['a.localhost', 'loopback'],
    ['registry.example', undefined],
    ['notlocalhost', undefined],
  ] as const)('%s: %s', (hostname, scope) => {
    expect(literalScope(hostname)).toBe(scope);
  });
});
