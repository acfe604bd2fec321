import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TrustedProxies } from './trusted-proxies.ts';

const PROXIES = new TrustedProxies(['10.0.0.0/8', '192.0.2.1/32', '2001:db8:1::/48']);
const CLIENT = '203.0.113.9';

type Told = {
  readonly forwarded?: string;
  readonly 'x-forwarded-for'?: string;
};

describe('the client of a request', () => {
  test.each<[string, string, Told, string]>([
    ['no proxy is trusted', CLIENT, { 'x-forwarded-for': '198.51.100.1' }, CLIENT],
    ['nor by Forwarded', CLIENT, { forwarded: 'for=198.51.100.1' }, CLIENT],
    ['a proxy that says nothing', '10.0.0.1', {}, '10.0.0.1'],
    ['a proxy', '10.0.0.1', { 'x-forwarded-for': CLIENT }, CLIENT],
    ['a proxy, by Forwarded', '10.0.0.1', { forwarded: `for="${CLIENT}:4711"` }, CLIENT],
    ['a proxy seen as IPv6', '::ffff:10.0.0.1', { 'x-forwarded-for': CLIENT }, CLIENT],
    ['a proxy of IPv6', '2001:db8:1:2::3', { 'x-forwarded-for': CLIENT }, CLIENT],
    ['two proxies', '10.0.0.1', { 'x-forwarded-for': `${CLIENT}, 192.0.2.1` }, CLIENT],
    ['a proxy told of as IPv6', '10.0.0.1', { 'x-forwarded-for': `${CLIENT}, ::ffff:10.9.9.9` }, CLIENT],
    ['what the client has written', '10.0.0.1', { 'x-forwarded-for': `198.51.100.1, ${CLIENT}` }, CLIENT],
    ['the client pretends to be a proxy', '10.0.0.1', { 'x-forwarded-for': `10.1.1.1, ${CLIENT}` }, CLIENT],
    ['a client of IPv6', '10.0.0.1', { forwarded: 'for="[2001:DB8::17]:47011"' }, '2001:db8::17'],
    ['all are proxies: the outermost', '10.0.0.1', { 'x-forwarded-for': '10.0.0.9, 10.0.0.2' }, '10.0.0.9'],
    ['a client with a zone', '10.0.0.1', { forwarded: 'for="[fe80::1%a-b]"' }, 'fe80::1'],
    ['the same by the other header', '10.0.0.1', { 'x-forwarded-for': 'fe80::1%eth0.100' }, 'fe80::1'],
    ['a peer with a zone', 'fe80::1%br-abc', { 'x-forwarded-for': '1.2.3.4' }, 'fe80::1%br-abc'],
    ['a zone alone', '10.0.0.1', { 'x-forwarded-for': '%eth0' }, '10.0.0.1'],
    ['unknown', '10.0.0.1', { forwarded: 'for=unknown' }, '10.0.0.1'],
    ['an obfuscated identifier', '10.0.0.1', { forwarded: 'for=_hidden' }, '10.0.0.1'],
    ['unknown behind a second proxy', '10.0.0.1', { 'x-forwarded-for': 'unknown, 192.0.2.1' }, '192.0.2.1'],
    ['nonsense', '10.0.0.1', { 'x-forwarded-for': '999.1.1.1' }, '10.0.0.1'],
    ['a short form of an address', '10.0.0.1', { 'x-forwarded-for': '127.1' }, '10.0.0.1'],
    ['both headers agree', '10.0.0.1', { forwarded: `for=${CLIENT}`, 'x-forwarded-for': CLIENT }, CLIENT],
    [
      'one is the client’s own',
      '10.0.0.1',
      { forwarded: 'for=1.2.3.4', 'x-forwarded-for': CLIENT },
      '10.0.0.1',
    ],
    ['no address', '', { 'x-forwarded-for': CLIENT }, ''],
  ])('%s', (_, peer, headers, client) => expect(PROXIES.clientOf(peer, headers)).toBe(client));

  test('what connects to the Unix socket is believed once it is named, and is no hop', () => {
    const headers = { 'x-forwarded-for': CLIENT };
    const unix = new TrustedProxies(['unix']);
    expect([unix.isTrusted('unix'), unix.clientOf('unix', headers)]).toEqual([true, CLIENT]);
    expect(unix.clientOf('10.0.0.1', headers)).toBe('10.0.0.1');
    expect(unix.clientOf('unix', { 'x-forwarded-for': `${CLIENT}, unix` })).toBe('unix');
    expect(PROXIES.isTrusted('unix')).toBe(false);
    expect(PROXIES.clientOf('unix', headers)).toBe('unix');
  });

  test('stays the same with ten thousand entries in front', () => {
    const headers = { 'x-forwarded-for': `${'10.0.0.3,'.repeat(10_000)}${CLIENT}` };
    expect(PROXIES.clientOf('10.0.0.1', headers)).toBe(CLIENT);
  });

  test('is the client itself or the proxy, whatever the client writes', () => {
    const written = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.ipV6(), fc.string()).map(([address, zone]) => `${address}%${zone}`),
      fc.constantFrom('for=', '"', ', for="', 'for="x'),
    );
    fc.assert(
      fc.property(fc.array(written), written, (list, other) => {
        const own = list.join(',');
        const told = { 'x-forwarded-for': `${own}, ${CLIENT}`, forwarded: other };
        expect([CLIENT, '10.0.0.1']).toContain(PROXIES.clientOf('10.0.0.1', told));
        const forwarded = { forwarded: `${own}, for=${CLIENT}` };
        expect([CLIENT, '10.0.0.1']).toContain(PROXIES.clientOf('10.0.0.1', forwarded));
      }),
    );
  });

  test('no proxy is trusted by default', () => {
    expect(new TrustedProxies([]).clientOf('10.0.0.1', { 'x-forwarded-for': CLIENT })).toBe('10.0.0.1');
  });
});
