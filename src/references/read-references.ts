import { readDockerfile, type DockerfileOptions } from './dockerfile/read-dockerfile.ts';
import type { References } from './found.ts';
import { type FileKind } from './kind-of-file.ts';
import { readList } from './read-list.ts';
import { readCompose, type ComposeOptions } from './yaml/read-compose.ts';
import { readImageList } from './yaml/read-image-list.ts';
import { readKubernetes } from './yaml/read-kubernetes.ts';

/** Finds the images that a file of a known kind names. Never throws: what cannot be read is `unresolved`. */
export function readReferences(
  kind: FileKind,
  file: string,
  text: string,
  options: DockerfileOptions & ComposeOptions = {},
): References {
  switch (kind) {
    case 'dockerfile':
      return readDockerfile(file, text, options);
    case 'compose':
      return readCompose(file, text, options);
    case 'kubernetes':
      return readKubernetes(file, text);
    case 'image-list':
      return readImageList(file, text);
    case 'list':
      return readList(file, text);
  }
}
