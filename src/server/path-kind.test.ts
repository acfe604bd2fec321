import { describe, expect, test } from 'vitest';
import { pathKind } from './path-kind.ts';

describe('routeOf', () => {
  test.each([
    ['/v2', 'registry'],
    ['/v2/', 'registry'],
    ['/v2/../metrics', 'registry'],
    ['/v2/%2e%2e/metrics', 'registry'],
    ['/v2/..\\metrics', 'registry'],
    ['/ghcr.io/v2/a/tags/list', 'registry'],
    ['/livez', 'page'],
    ['/', 'page'],
    ['/favicon.ico', 'page'],
    ['/v2x', 'page'],
    ['/ui/', 'page'],
    ['/.well-known/x', 'page'],
    ['/x/../metrics', 'none'],
    ['/./metrics', 'none'],
    ['/metrics/.', 'none'],
    ['//metrics', 'none'],
    ['/metrics//', 'none'],
    ['/%6detrics', 'none'],
    ['/x/%2e%2e/metrics', 'none'],
    ['/x/%2E./metrics', 'none'],
    ['/x\\..\\metrics', 'none'],
    ['/metrics;jsessionid=1', 'none'],
    ['/metrics#x', 'none'],
    ['/metrics\t', 'none'],
    ['/\u212a', 'none'],
    ['//v2/../metrics', 'none'],
    ['/a/b/v2/../../../metrics', 'none'],
    ['*', 'none'],
    ['', 'none'],
    ['ftp://mirror/metrics', 'none'],
    ['mirror:443', 'none'],
  ])('%j: %s', (path, route) => expect(pathKind(path)).toBe(route));
});
