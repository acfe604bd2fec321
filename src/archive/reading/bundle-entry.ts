import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';

/** A file of a bundle, or a link to one. */
export interface BundleEntry {
  /** Relative, with `/` between its parts, and without `.` or `..`. */
  readonly path: string;
  /** Bytes. Of a link: 0. */
  readonly size: number;
  /** Of a symbolic link: where it leads, as it is written. No link is ever followed on the disk. */
  readonly target?: string;
  /** The file's bytes. They may be read once, and only until the next entry is asked for. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Returns the path of an entry without the `./` that `tar -c .` writes.
 * @throws BundleError if it leads out of the bundle: no honest writer makes such a path
 */
export function entryPath(text: string): string {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (text.startsWith('/') || parts.includes('..') || text.includes('\0')) {
    throw new BundleError(`the path ${quoted(text)} leads out of the bundle`);
  }
  return parts.join('/');
}

/** Returns where the link of an entry leads; undefined if that is not in the bundle. */
export function linkedPath({ path, target = '' }: Pick<BundleEntry, 'path' | 'target'>): string | undefined {
  if (target.startsWith('/')) return undefined;
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
