import { Readable } from 'node:stream';
import type { Target } from '../../src/mirror/target.ts';
import { UpstreamError, type UpstreamFailureReason } from '../../src/upstream/error.ts';
import type { ByteRange } from '../../src/upstream/upstream.ts';
import { StubUpstream, targetOf } from './stub-upstream.ts';

/** How one request for a blob is answered. */
export interface Transfer {
  /** The error of the request itself, if it fails. */
  readonly refuses?: UpstreamError;
  /** Whether Range is ignored, so that the body begins at 0. */
  readonly ignoresRange?: boolean;
  /** Bytes of the body. After them it ends as if complete, or breaks off with `breaks`. */
  readonly upTo?: number;
  readonly breaks?: Error;
  /** Sent in place of the content. */
  readonly content?: Uint8Array;
}

export interface ScriptedBlob {
  readonly target: Target;
  /** The range of each request, in order; undefined is the whole. */
  readonly asked: readonly (ByteRange | undefined)[];
  /** Returns the number of bodies that were neither read to their end nor destroyed. */
  readonly open: () => number;
}

export interface ScriptedBlobOptions {
  readonly chunk?: number;
  /** Whether upstream does not tell the size. */
  readonly isSizeUnknown?: boolean;
}

export function breakOff(reason: UpstreamFailureReason = 'reset'): UpstreamError {
  return new UpstreamError('registry.test', 'unavailable', reason, 'the connection broke');
}

/** Makes an upstream that answers requests for one blob by these transfers in turn, and repeats the last one. */
export function scriptedBlob(
  content: Uint8Array,
  transfers: readonly Transfer[],
  { chunk = 1_000, isSizeUnknown = false }: ScriptedBlobOptions = {},
): ScriptedBlob {
  const asked: (ByteRange | undefined)[] = [];
  const bodies: Readable[] = [];
  const { upstream } = new StubUpstream();
  const target = targetOf({
    ...upstream,
    blob(_, __, { range } = {}) {
      const transfer = transfers[Math.min(asked.length, transfers.length - 1)] ?? {};
      asked.push(range);
      if (transfer.refuses !== undefined) return Promise.reject(transfer.refuses);
      const start = transfer.ignoresRange === true ? 0 : (range?.start ?? 0);
      const end = transfer.ignoresRange === true ? undefined : range?.end;
      const body = Readable.from(
        chunksOf((transfer.content ?? content).subarray(start, end), chunk, transfer),
      );
      bodies.push(body);
      return Promise.resolve({ body, start, size: isSizeUnknown ? undefined : content.length });
    },
  });
  return { target, asked, open: () => bodies.filter(({ destroyed }) => !destroyed).length };
}

function* chunksOf(bytes: Uint8Array, chunk: number, { upTo, breaks }: Transfer): Generator<Uint8Array[]> {
  const part = bytes.subarray(0, upTo);
  for (let start = 0; start < part.length; start += chunk) yield [part.subarray(start, start + chunk)];
  if (breaks !== undefined) throw breaks;
}
