import { readYaml } from './yaml/yaml-node.ts';

/** What a file is that names images. */
export type FileKind = 'dockerfile' | 'compose' | 'kubernetes' | 'image-list' | 'list';

const DOCKERFILE = /^(?:docker|container)file(?:\..*)?$|\.(?:docker|container)file$/i;

/**
 * Tells what a file is by its name if that says it, and a YAML, JSON or lock file or any other by what is in it.
 * @param name its name without the folder
 * @returns undefined for YAML that is none of these
 */
export function kindOfFile(name: string, text: string): FileKind | undefined {
  if (DOCKERFILE.test(name)) return 'dockerfile';
  if (/\.(?:ya?ml|json|lock)$/i.test(name)) return kindOfYaml(text);
  return kindOfText(text);
}

/** Tells what standard input is, or a file whose name tells nothing. Text inside of YAML is always indented. */
function kindOfText(text: string): FileKind {
  if (/^FROM\s/im.test(text)) return 'dockerfile';
  const ofYaml = /^(?:apiVersion|kind|services|images):|^- |^\s*[[{]/m.test(text)
    ? kindOfYaml(text)
    : undefined;
  return ofYaml ?? (/^\s+FROM\s/im.test(text) ? 'dockerfile' : 'list');
}

/** What a file must have somewhere to be worth reading as YAML, which takes seconds for a large one. */
const WORTH_READING = /\b(?:apiVersion|services|images)\b|^\s*(?:-\s|\[)/m;

function kindOfYaml(text: string): FileKind | undefined {
  if (!WORTH_READING.test(text)) return undefined;
  const { documents, problems } = readYaml(text);
  // Of a document that is no YAML, such as a template of Helm, the lines are looked at.
  const has = (key: string): boolean =>
    documents.some((document) => document.get(key) !== undefined) ||
    (problems.length > 0 && new RegExp(`^${key}:`, 'm').test(text));
  if (has('kind') && has('apiVersion')) return 'kubernetes';
  if (has('services')) return 'compose';
  const isList = documents.some((document) => document.isList || document.get('images')?.isList);
  return isList ? 'image-list' : undefined;
}
