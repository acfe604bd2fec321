import { describe, expect, it } from 'vitest';
import { crossSiteReason, namesThisMachine } from './cross-site.ts';

describe('crossSiteReason', () => {
  it.each([
    ['a program', {}],
    ['a page of this server', { origin: 'http://mirror.test:5000', 'sec-fetch-site': 'same-origin' }],
    ['one over https, whose origin has no port', { origin: 'https://Mirror.test', host: 'mirror.test' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
  ])('finds nothing in a request of %s', (_, headers) => {
    expect(crossSiteReason({ host: 'mirror.test:5000', ...headers })).toBeUndefined();
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a site beside it', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'https://evil.test' }],
    ['another port', { origin: 'http://mirror.test:8080' }],
    ['a name that only begins alike', { origin: 'http://mirror.test:5000.evil.test' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a page of a file', { origin: 'file://' }],
    ['an origin where Host is missing', { origin: 'http://mirror.test', host: undefined }],
  ])('refuses a request of %s', (_, headers) => {
    expect(crossSiteReason({ host: 'mirror.test:5000', ...headers })).toMatch(/page of another/);
  });
});

describe('namesThisMachine', () => {
  it.each([
    'localhost',
    'LOCALHOST:5000',
    'a.localhost',
    '127.0.0.1',
    '127.0.0.1:5000',
    '127.8.9.1',
    '[::1]',
    '[::1]:80',
  ])('of %s is true', (host) => {
    expect(namesThisMachine(host)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'evil.test',
    'localhost.evil.test',
    'notlocalhost',
    '127.0.0.1.evil.test',
    '10.0.0.1:5000',
    '[2001:db8::1]',
    '::1',
    '127.0.0.1:5000:6000',
    'localhost@evil.test',
  ])('of %s is false', (host) => {
    expect(namesThisMachine(host)).toBe(false);
  });
});
