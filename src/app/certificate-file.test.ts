import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../test/support/tls.ts';
import { certificateFile } from './certificate-file.ts';

const PEM = createCertificateAuthority().certificate;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'ca.pem');
  await writeFile(path, PEM);
});

afterEach(() => rm(folder, { recursive: true }));

test('a certificate file is read as it is now', async () => {
  const file = certificateFile(path);
  expect(await file.read()).toBe(PEM);
  await writeFile(path, PEM + PEM);
  expect(await file.read()).toBe(PEM + PEM);
});

test('a certificate file has another version only after a write or a replacement', async () => {
  const file = certificateFile(path);
  const first = await file.version();
  expect(await file.version()).toBe(first);
  await writeFile(path, PEM + PEM);
  const second = await file.version();
  await writeFile(`${path}.new`, PEM + PEM);
  await rename(`${path}.new`, path);
  const third = await file.version();
  expect(new Set([first, second, third]).size).toBe(3);
});

test('a certificate file is refused if it holds no certificate, or is not there', async () => {
  const file = certificateFile(path);
  for (const content of ['', 'no certificate', PEM.replace('MII', 'XXX')]) {
    await writeFile(path, content);
    await expect(file.read()).rejects.toThrow(`${path} is no file of PEM certificates`);
  }
  await rm(path);
  await expect(file.version()).rejects.toThrow('ENOENT');
});
