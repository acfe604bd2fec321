import { readYaml } from './yaml/yaml-node.ts';

/** What a file is that names images. */
export type FileKind = 'dockerfile' | 'compose' | 'kubernetes' | 'image-list' | 'list';

const DOCKERFILE = /^(?:docker|container)file(?:\..*)?$|\.(?:docker|container)file$/i;

/**
 * Tells what a file is by its name, and a YAML or JSON file by what is in it.
 * @param name its name without the folder
 * @returns undefined for YAML that is none of these
 */
export function kindOfFile(name: string, text: string): FileKind | undefined {
  if (DOCKERFILE.test(name)) return 'dockerfile';
  if (/\.(?:ya?ml|json)$/i.test(name)) return kindOfYaml(text);
  return /^\s*FROM\s/im.test(text) ? 'dockerfile' : 'list';
}

function kindOfYaml(text: string): FileKind | undefined {
  const { documents } = readYaml(text);
  const has = (key: string): boolean => documents.some((document) => document.get(key) !== undefined);
  if (has('kind') && has('apiVersion')) return 'kubernetes';
  if (has('services')) return 'compose';
  return has('images') || documents.some(({ isList }) => isList) ? 'image-list' : undefined;
}
