import { expect, it } from 'vitest';
import { isHost } from './host.ts';

it.each([
  'mirror',
  'mirror.example',
  'mirror.example.',
  'Mirror.Example:5000',
  'my_mirror',
  '192.0.2.1',
  '192.0.2.1:5000',
  '[::1]',
  '[2001:db8::1]:5000',
  '[::ffff:192.0.2.1]:80',
  'mirror:65535',
])('%s is a host', (text) => expect(isHost(text)).toBe(true));

it.each([
  '',
  'mirror:',
  'mirror:0',
  'mirror:65536',
  'mirror:80:80',
  'mirror/path',
  'mirror?ns=a',
  'mirror#',
  'user@mirror',
  'a b',
  'mirror"',
  'mirror,other',
  'mirror\\other',
  'mirr%6fr',
  'mïrror',
  '-mirror',
  '.mirror',
  '::1',
  '[::1',
  '[fe80::1%25eth0]',
  'a'.repeat(254),
])('%j is none', (text) => expect(isHost(text)).toBe(false));
