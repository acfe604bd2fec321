import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FileKind } from '../../references/kind-of-file.ts';
import { readReferenceFiles } from './reference-files.ts';

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-references-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function read(paths: readonly string[], kind?: FileKind, stdin = ''): Promise<string[]> {
  const { images, unresolved } = await readReferenceFiles(paths, {
    kind,
    stdin: Readable.from([Buffer.from(stdin)]),
  });
  return [
    ...images.map(({ text, place }) => `${place.file}:${place.line} ${text}`),
    ...unresolved.map(({ reason, place }) => `${place.file}:${place.line} ${reason}`),
  ];
}

const POD = 'apiVersion: v1\nkind: Pod\nspec: { containers: [{ image: pod:1 }] }\n';

describe('files that name images', () => {
  it('are of the kind that they look like, and named as they were given', async () => {
    const folder = await folderOf({ Dockerfile: 'FROM a:1', 'list.txt': '# none\nb:1', 'app.yaml': POD });
    const paths = ['Dockerfile', 'list.txt', 'app.yaml'].map((name) => join(folder, name));
    expect(await read(paths)).toEqual([`${paths[0]}:1 a:1`, `${paths[1]}:2 b:1`, `${paths[2]}:3 pod:1`]);
  });

  it('may come from standard input', async () => {
    expect(await read(['-'], undefined, 'a:1\n')).toEqual(['-:1 a:1']);
    expect(await read(['-'], 'kubernetes', POD)).toEqual(['-:3 pod:1']);
  });

  it('are of the kind that was given', async () => {
    const folder = await folderOf({ any: 'services: { a: { image: a:1 } }' });
    expect(await read([join(folder, 'any')], 'compose')).toEqual([`${join(folder, 'any')}:1 a:1`]);
  });

  it('that are none are named', async () => {
    const folder = await folderOf({ 'values.yaml': 'a: 1' });
    const path = join(folder, 'values.yaml');
    expect(await read([path])).toEqual([
      `${path}:1 this is no Dockerfile, compose file, Kubernetes manifest or list of images`,
    ]);
  });

  it('that cannot be read are an error', async () => {
    const folder = await folderOf({ large: '' });
    await truncate(join(folder, 'large'), 17 * 1024 * 1024);
    await expect(read([join(folder, 'none')])).rejects.toThrow(
      `${join(folder, 'none')} cannot be read: ENOENT`,
    );
    await expect(read([join(folder, 'large')])).rejects.toThrow('is too large: expected at most 16 MiB');
  });
});

describe('a folder', () => {
  it('gives what the files below it name, in the order of their names', async () => {
    const folder = await folderOf({
      'b/Dockerfile': 'FROM b:1',
      'b/web.dockerfile': 'FROM b:2',
      'a.yaml': POD,
      'compose.yml': 'services: { a: { image: c:1 } }',
      'values.yaml': 'a: 1',
      'playbook.yaml': '- hosts: no:1',
      'readme.txt': 'no:1',
      '.git/Dockerfile': 'FROM no:2',
      'node_modules/Dockerfile': 'FROM no:3',
    });
    await symlink(join(folder, 'a.yaml'), join(folder, 'z.yaml'));
    await symlink(folder, join(folder, 'round.yaml'));
    expect((await read([folder])).map((line) => line.slice(folder.length + 1))).toEqual([
      'a.yaml:3 pod:1',
      'b/Dockerfile:1 b:1',
      'b/web.dockerfile:1 b:2',
      'compose.yml:1 c:1',
      'z.yaml:3 pod:1',
    ]);
    expect(await read([folder], 'compose')).toEqual([`${join(folder, 'compose.yml')}:1 c:1`]);
  });
});
