import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBypassed } from './no-proxy.ts';

describe('isBypassed', () => {
  test.each<[string, string, boolean]>([
    ['https://a.example', '', false],
    ['https://a.example', '*', true],
    ['https://example.com', 'example.com', true],
    ['https://www.example.com', 'example.com', true],
    ['https://nonexample.com', 'example.com', false],
    ['https://example.com.evil.test', 'example.com', false],
    ['https://example.com', '.example.com', true],
    ['https://www.example.com', '.example.com', true],
    ['https://www.example.com', '*.example.com', true],
    ['https://WWW.Example.COM.', 'eXample.com.', true],
    ['https://example.com', 'www.example.com', false],
    ['https://example.com', 'example.org example.com', true],
    ['https://registry', 'registry', true],
    ['https://example.com', 'example.com:443', true],
    ['https://example.com:5000', 'example.com:443', false],
    ['http://example.com', 'example.com:80', true],
    ['https://example.com:5000', '.example.com:5000', true],
    ['https://example.com', '.', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://10.1.2.3', '10.1.2.4', false],
    ['https://10.1.2.3', '2.3', false],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '0.0.0.0/0', true],
    ['https://10.1.2.3:5000', '10.1.2.3:5000', true],
    ['https://10.1.2.3:5001', '10.1.2.3:5000', false],
    ['https://10.1.2.3', '10.0.0.0/', false],
    ['https://10.1.2.3', '10.0.0.0/33', false],
    ['https://10.1.2.3', '10.0.0.0/8/8', false],
    ['https://10.1.2.3', '10.0.0.0/x', false],
    ['https://ten.example', '10.0.0.0/8', false],
    ['https://[fd00::1]', 'fd00::1', true],
    ['https://[fd00::1]', '[fd00::1]', true],
    ['https://[fd00::1]:5000', '[fd00::1]:5000', true],
    ['https://[fd00::1]', '[fd00::1]:5000', false],
    ['https://[fd00:0::1]', 'FD00:0:0::1', true],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[2001:db8::1]', 'fd00::/8', false],
    ['https://[fd00::1]', '10.0.0.0/8', false],
    ['https://[::ffff:10.1.2.3]', '10.0.0.0/8', true],
    ['https://localhost:5000', '', true],
    ['http://a.localhost', '', true],
    ['http://127.9.9.9', '', true],
    ['http://[::1]', '', true],
    ['http://localhost.example', '', false],
  ])('%s, no_proxy=%s: %s', (url, noProxy, expected) => {
    const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '');
    expect(isBypassed(new URL(url), entries)).toBe(expected);
  });

  test('never throws', () => {
    const piece = fc.constantFrom('10', '.', ':', '/', '[', ']', '*', 'a', '::', '0', 'ffff', '32', '-');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, isAddress) => {
        const url = new URL(isAddress ? 'https://[fd00::1]' : 'https://10.0.0.1');
        expect(typeof isBypassed(url, [pieces.join('')])).toBe('boolean');
      }),
    );
  });
});
