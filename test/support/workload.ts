import { digestOf, type Digest } from '../../src/oci/digest.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { get, type ReceivedAnswer } from './http-get.ts';
import type { Random } from './random.ts';

/** A request of clients, and the content that they must get. */
export interface Wanted {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  readonly kind: 'manifest' | 'blob';
}

/** Puts images with layers of many sizes into a registry. @returns all requests for them */
export function putImages(
  registry: FakeRegistry,
  random: Random,
  sizes: readonly number[],
  namespace = 'acme',
): Wanted[] {
  return sizes.flatMap((size, i) => {
    const repository = `${namespace}/app${i}`;
    const image = registry.putImage(repository, 'latest', { layers: [random.bytes(size)] });
    const blobs = [image.config, ...image.layers];
    const manifest = { digest: image.digest, size: image.bytes.length, kind: 'manifest' } as const;
    return [
      { path: `/v2/${repository}/manifests/latest`, ...manifest },
      { path: `/v2/${repository}/manifests/${image.digest}`, ...manifest },
      ...blobs.map(({ digest, size }) => ({
        path: `/v2/${repository}/blobs/${digest}`,
        digest,
        size,
        kind: 'blob' as const,
      })),
    ];
  });
}

/**
 * - `right`: complete, and the bytes of the digest
 * - `cut`: not complete
 * - `refused`: an error answer, or no connection
 * - `wrong`: complete, but with other bytes than the digest names, which must never happen
 */
export type Verdict = 'right' | 'cut' | 'refused' | 'wrong';

/** Sends the request and judges the answer. With a random source, it sometimes asks for a range. */
export async function pull(mirror: URL, wanted: Wanted, random?: Random): Promise<Verdict> {
  return (await pullAndTell(mirror, wanted, random)).verdict;
}

/** Does the same, and tells whether the answer came from the cache. */
export async function pullAndTell(
  mirror: URL,
  wanted: Wanted,
  random?: Random,
): Promise<{ readonly verdict: Verdict; readonly isHit: boolean }> {
  const start = random !== undefined && wanted.kind === 'blob' && random.next() < 0.2 ? 1 : 0;
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
  const answer = await get(mirror, wanted.path, { headers }).catch(() => undefined);
  const isHit = answer?.headers['cache-status']?.toString().startsWith('larder; hit') ?? false;
  return { verdict: judge(wanted, answer, start), isHit };
}

function judge({ digest, size }: Wanted, answer: ReceivedAnswer | undefined, start: number): Verdict {
  if (answer === undefined || answer.status >= 300) return 'refused';
  if (!answer.complete) return 'cut';
  if (start > 0 && answer.status === 206) return answer.body.length === size - start ? 'right' : 'wrong';
  return digestOf(answer.body) === digest ? 'right' : 'wrong';
}
