import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { formatImageName, parseImageName } from './image-name.ts';

const DIGEST = digestOf('a');

it.each([
  'docker.io/library/debian:12',
  'localhost:5001/app:1',
  'registry/app:1',
  `ghcr.io/acme/team/app@${DIGEST}`,
  `localhost:5001/app@${digestOf('a', 'sha512')}`,
])('%s is read and written', (text) => {
  const name = parseImageName(text);
  expect(name && formatImageName(name)).toBe(text);
});

it('is the digest, if there is a tag beside it', () => {
  expect(parseImageName(`ghcr.io/acme/app:1@${DIGEST}`)).toEqual(
    parseImageName(`ghcr.io/acme/app@${DIGEST}`),
  );
});

it.each([
  '',
  'latest',
  'debian:12',
  '/debian:12',
  'ghcr.io/acme/app',
  'localhost:5001/app',
  'ghcr.io/Acme/app:1',
  'ghcr.io/acme/app:',
  'ghcr.io/acme/app@latest',
  'ghcr.io/../app:1',
  `ghcr.io@${DIGEST}`,
])('%j is no full name', (text) => expect(parseImageName(text)).toBeUndefined());
