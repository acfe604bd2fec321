import type { Digest } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import { BundleError } from '../bundle-error.ts';
import type { ImageName } from '../layout/image-name.ts';
import type { UnderstoodName } from './import-options.ts';
import type { RootWithName, Root } from './root.ts';

interface NameRootsOptions {
  /** What the operator calls images that have no full name: a repository, or the name of the one image. */
  readonly as: UnderstoodName | undefined;
  /** @throws BundleError */
  readonly nameOf: (text: string) => UnderstoodName;
  /** Returns what a manifest is about, such as the image that it signs; undefined if it is about none. */
  readonly subjectOf: (root: Root) => Promise<Digest | undefined>;
}

/**
 * Decides the repository, and the tag if there is one, of each root: by its full name; or by a tag alone, in the
 * repository that the operator gives; or, for a signature or an SBOM without a name, by the image that it is about.
 * A whole name that the operator gives is that of a single root, whatever the bundle calls it.
 * @throws BundleError if a root has no name, or the operator's name fits none
 */
export async function nameRoots(
  roots: readonly Root[],
  { as, nameOf, subjectOf }: NameRootsOptions,
): Promise<readonly RootWithName[]> {
  const [only] = roots;
  if (only !== undefined && roots.length === 1 && as?.reference !== undefined) {
    return [{ root: only, name: ofRoot(as, only) }];
  }
  const full = roots.flatMap((root) =>
    root.names.filter(isFull).map((text) => ({ root, name: ofRoot(nameOf(text), root) })),
  );
  const others = roots.filter(({ names }) => !names.some(isFull));
  const named = [...full];
  const left: Root[] = [];
  for (const root of others) {
    const subject = await subjectOf(root);
    const about = subject && full.find((each) => each.root.digest === subject);
    if (about) named.push({ root, name: ofRoot({ key: about.name.key, reference: undefined }, root) });
    else left.push(root);
  }
  return [...named, ...nameLeft(left, as)];
}

/** A tag alone has neither. */
function isFull(text: string): boolean {
  return /[/:]/.test(text);
}

function nameLeft(roots: readonly Root[], as: UnderstoodName | undefined): readonly RootWithName[] {
  const [first] = roots;
  if (first === undefined) {
    if (as === undefined) return [];
    throw new BundleError('all its images have names of their own: leave out --as');
  }
  if (as === undefined)
    throw new BundleError(`${described(first)} has no full name: say its repository by --as`);
  if (as.reference === undefined) return roots.flatMap((root) => nameBy(root, as));
  if (roots.length === 1) return [{ root: first, name: ofRoot(as, first) }];
  throw new BundleError(`${roots.length} images have no full name: give a repository without a tag by --as`);
}

function nameBy(root: Root, as: UnderstoodName): readonly RootWithName[] {
  if (root.names.length === 0) return [{ root, name: ofRoot(as, root) }];
  return root.names.map((text) => ({
    root,
    name: { ...as, reference: { kind: 'tag', tag: parseTag(text) } },
  }));
}

/** @throws BundleError if the name says another digest than the root has */
function ofRoot({ key, reference }: UnderstoodName, { digest }: Root): ImageName {
  if (reference?.kind !== 'tag' && reference !== undefined && reference.digest !== digest) {
    throw new BundleError(`its index.json calls ${digest} by the digest ${reference.digest}`);
  }
  return { key, reference: reference ?? { kind: 'digest', digest } };
}

function described({ digest, names }: Root): string {
  return names.length === 0 ? digest : `${digest} (${names.join(', ')})`;
}
