import { parseDigest, type Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { quoted } from '../../text/quoted.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';

/** What a path of the registry API asks for, before the upstream is known. */
export type V2Path =
  /** `upstream`: the segment beside `/v2/`, which must name an upstream. */
  | { readonly kind: 'ping'; readonly upstream: string | undefined }
  | { readonly kind: 'catalog' }
  | ({ readonly kind: 'manifest'; readonly reference: Reference } & Addressed)
  | ({ readonly kind: 'blob'; readonly digest: Digest } & Addressed)
  | ({ readonly kind: 'tags' } & Addressed)
  | ({ readonly kind: 'referrers'; readonly digest: Digest } & Addressed);

/** A repository as the path spells it: perhaps with an upstream's name as first segment, or in front of `/v2/`. */
interface Addressed {
  /** Decoded, not empty, not `.` nor `..`, without `/`; the grammar of names is not yet checked. */
  readonly segments: readonly string[];
  /** The segment in front of `/v2/`: `ghcr.io` in `/ghcr.io/v2/acme/app/tags/list`. */
  readonly prefix: string | undefined;
}

/** Enough for 255 characters of name, a prefix and a sha512 digest, each perhaps percent-encoded. */
const MAX_PATH_LENGTH = 2048;

/**
 * Returns whether the registry answers the raw path (percent-encoding untouched): `/v2`, `/v2/...`, or either behind
 * one segment.
 */
export function isV2Path(path: string): boolean {
  return /^(?:\/[^/]+)?\/v2(?:\/|$)/.test(path);
}

/**
 * Reads a raw path for which `isV2Path` holds. The kind is read from the right end, since a repository may have
 * segments called `manifests`, `blobs` or `tags` (distribution-spec, "Endpoints").
 * @throws RegistryError NAME_INVALID, DIGEST_INVALID, TAG_INVALID, or NAME_UNKNOWN for a path that is no endpoint
 */
export function parseV2Path(path: string): V2Path {
  if (path.length > MAX_PATH_LENGTH) {
    throw new RegistryError('NAME_INVALID', `the path is longer than ${MAX_PATH_LENGTH} characters`);
  }
  const all = path.split('/').slice(1);
  const prefix = all[0] === 'v2' ? undefined : decodeSegment(all[0] ?? '');
  const rest = all.slice(prefix === undefined ? 1 : 2);
  if (rest.length === 0 || (rest.length === 1 && rest[0] === '')) return { kind: 'ping', upstream: prefix };
  if (rest.length === 1 && rest[0] === '_catalog') return { kind: 'catalog' };
  // The ping of a client whose endpoint's path stands for `/v2` (wharfie, of k3s and RKE2): `/v2/ghcr.io/`.
  if (prefix === undefined && rest.length === 2 && rest[1] === '') {
    return { kind: 'ping', upstream: decodeSegment(rest[0] ?? '') };
  }
  return parseEndpoint(rest.map(decodeSegment), prefix);
}

function parseEndpoint(all: readonly string[], prefix: string | undefined): V2Path {
  const [kind = '', last = ''] = all.slice(-2);
  const segments = all.slice(0, -2);
  if (segments.length > 0) {
    if (kind === 'manifests') return { kind: 'manifest', reference: parseReference(last), segments, prefix };
    if (kind === 'blobs') return { kind: 'blob', digest: parseDigest(last), segments, prefix };
    if (kind === 'referrers') return { kind: 'referrers', digest: parseDigest(last), segments, prefix };
    if (kind === 'tags' && last === 'list') return { kind: 'tags', segments, prefix };
  }
  throw new RegistryError('NAME_UNKNOWN', 'the path is no endpoint of the registry API');
}

/** Decodes a segment once, and refuses one that would change the path. */
function decodeSegment(raw: string): string {
  const decoded = decode(raw);
  if (decoded === '' || decoded === '.' || decoded === '..' || /[/\\\0]/.test(decoded)) {
    throw new RegistryError('NAME_INVALID', `${quoted(raw)} may not be a segment of a repository's name`);
  }
  return decoded;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new RegistryError('NAME_INVALID', `${quoted(raw)} is not percent-encoded UTF-8`);
  }
}
