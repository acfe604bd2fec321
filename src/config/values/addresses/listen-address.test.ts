import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatListenAddress, isLoopback, parseListenAddress } from './listen-address.ts';
import { ValueError, valueOrError } from '../value-error.ts';

describe('parseListenAddress', () => {
  it.each([
    ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    [':5000', { host: undefined, port: 5000 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['Mirror.Example:5000', { host: 'mirror.example', port: 5000 }],
    ['[::1]:5000', { host: '::1', port: 5000 }],
    ['[::]:65535', { host: '::', port: 65_535 }],
    ['[fe80::1%eth0]:5000', { host: 'fe80::1%eth0', port: 5000 }],
    ['unix:/run/larder/larder.sock', { path: '/run/larder/larder.sock' }],
    ['unix:/run/My Images.sock', { path: '/run/My Images.sock' }],
    [`unix:/${'a'.repeat(89)}`, { path: `/${'a'.repeat(89)}` }],
  ])('reads %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  it.each([
    '',
    '5000',
    ':',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:http',
    '127.0.0.256:5000',
    '127.1:5000',
    '::1:5000',
    '[]:5000',
    '[::1]5000',
    '[127.0.0.1]:5000',
    'http://127.0.0.1:5000',
    '*:5000',
    'a b:5000',
    'unix:larder.sock',
    'unix:',
    'UNIX:/run/larder.sock',
  ])('refuses %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(
      new ValueError(
        'an address such as 127.0.0.1:5000, :5000, "[::1]:5000" or unix:/run/larder/larder.sock',
      ),
    );
  });

  it.each([
    'unix:/',
    'unix:/run/',
    'unix:/run/../larder.sock',
    'unix://larder.sock',
    'unix:/run/a\0b',
    `unix:/${'a'.repeat(90)}`,
    `unix:/${'ü'.repeat(45)}`,
  ])('refuses the socket %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(
      new ValueError('"unix:" and an absolute path of at most 90 bytes'),
    );
  });

  it('reads what formatListenAddress writes', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant(undefined));
    fc.assert(
      fc.property(host, fc.nat({ max: 65_535 }), (host, port) => {
        const address = { host: host?.toLowerCase(), port };
        expect(parseListenAddress(formatListenAddress(address))).toEqual(address);
      }),
    );
    const socket = { path: '/run/larder/larder.sock' };
    expect(parseListenAddress(formatListenAddress(socket))).toEqual(socket);
  });

  it('throws nothing but ValueError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]:.a-f0-9]{0,20}$/)), (text) => {
        const address = valueOrError(() => parseListenAddress(text));
        expect(address instanceof ValueError || 'path' in address || address.port <= 65_535).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('isLoopback', () => {
  it.each([
    '127.0.0.1:1',
    '127.255.255.254:1',
    '[::1]:1',
    '[0:0:0:0:0:0:0:1]:1',
    '[::ffff:127.0.0.1]:1',
    'localhost:1',
    'unix:/run/larder.sock',
  ])('is true of %s', (text) => {
    expect(isLoopback(parseListenAddress(text))).toBe(true);
  });

  it.each([
    ':1',
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    '128.0.0.1:1',
    '[::ffff:10.0.0.1]:1',
    '[fe80::1%lo]:1',
    'localhost.example:1',
    'mirror:1',
    '0x7f000001:1',
  ])('is false of %s', (text) => {
    expect(isLoopback(parseListenAddress(text))).toBe(false);
  });
});
