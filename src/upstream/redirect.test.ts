import { describe, expect, test } from 'vitest';
import { nextHop } from './redirect.ts';

describe('nextHop', () => {
  test.each([
    ['https://a.example/v2/x', 'https://cdn.example/b?sig=1', 'https://cdn.example/b?sig=1'],
    ['https://a.example/v2/x', '/v2/library/x', 'https://a.example/v2/library/x'],
    ['https://a.example/v2/x', '//b.example/y', 'https://b.example/y'],
    ['https://a.example/v2/x', 'https://u:p@b.example/y#f', 'https://b.example/y'],
    ['http://a.example/v2/x', 'https://a.example/v2/x', 'https://a.example/v2/x'],
    ['http://a.example/v2/x', 'http://b.example/y', 'http://b.example/y'],
  ])('%s → %s', (current, location, expected) => {
    expect(nextHop(new URL(current), location)).toEqual({ url: new URL(expected) });
  });

  test.each([
    ['https://a.example/', 'http://a.example/', 'redirected from https:// to http://'],
    ['https://a.example/', 'ftp://a.example/', 'redirected from https:// to ftp://'],
    ['http://a.example/', 'file:///etc/passwd', 'redirected from http:// to file://'],
    ['http://a.example/', undefined, 'redirected without a usable Location'],
    ['http://a.example/', 'http://[', 'redirected without a usable Location'],
  ])('%s → %s is refused', (current, location, refusal) => {
    expect(nextHop(new URL(current), location)).toEqual({ refusal });
  });
});
