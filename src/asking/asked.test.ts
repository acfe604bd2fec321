import { describe, expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { formatRepository, parseAsked, parseAskedRegistry } from './asked.ts';
import { referenceOf } from '../oci/image-reference.ts';
import { AskError } from './error.ts';

const digest = digestOf('x');

describe('a reference as it is typed', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine', 'latest'],
    ['alpine:3.20', 'docker.io/library/alpine', '3.20'],
    ['docker.io/library/alpine:3.20', 'docker.io/library/alpine', '3.20'],
    ['docker.io/alpine', 'docker.io/library/alpine', 'latest'],
    ['index.docker.io/acme/app', 'docker.io/acme/app', 'latest'],
    ['acme/app', 'docker.io/acme/app', 'latest'],
    [`ghcr.io/acme/app@${digest}`, 'ghcr.io/acme/app', digest],
    [`GHCR.io/acme/app:1@${digest}`, 'ghcr.io/acme/app', digest],
    ['localhost:5000/x', 'localhost:5000/x', 'latest'],
    ['localhost/x', 'localhost/x', 'latest'],
    ['http://registry.example/x:1', 'registry.example/x', '1'],
    ['HTTPS://localhost:5000/x', 'localhost:5000/x', 'latest'],
    ['http://registry:80/x', 'registry:80/x', 'latest'],
    ['[::1]:5000/a/b', '[::1]:5000/a/b', 'latest'],
  ])('%s is %s, %s', (text, repository, reference) => {
    const asked = parseAsked(text);
    expect(formatRepository(asked)).toBe(repository);
    expect(Object.values(referenceOf(asked))).toContain(reference);
  });

  test('keeps the scheme that was typed', () => {
    expect(parseAsked('http://r.example/x').registry.scheme).toBe('http');
    expect(parseAsked('https://localhost:5000/x').registry.scheme).toBe('https');
    expect(parseAsked('localhost:5000/x').registry.scheme).toBeUndefined();
  });

  test.each([
    '',
    'Alpine',
    'alpine:',
    'alpine:a b',
    'a@sha256:00',
    'ghcr.io/',
    'ghcr.io/A',
    'a//b',
    'http://alpine',
    'https://registry/x',
    'x\u001b[31m',
  ])('%j is refused', (text) => {
    expect(() => parseAsked(text)).toThrow(AskError);
  });
});

describe('a registry as it is typed', () => {
  test.each([
    ['ghcr.io', 'ghcr.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['http://localhost:5000/', 'localhost:5000'],
  ])('%s is %s', (text, name) => {
    expect(parseAskedRegistry(text).name).toBe(name);
  });

  test.each(['alpine', 'ghcr.io/acme', ''])('%j is none', (text) => {
    expect(() => parseAskedRegistry(text)).toThrow(AskError);
  });
});
