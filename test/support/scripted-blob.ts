import { Readable } from 'node:stream';
import type { Target } from '../../src/mirror/target.ts';
import { UpstreamError, type UpstreamFailureReason } from '../../src/upstream/error.ts';
import type { ByteRange } from '../../src/upstream/upstream.ts';
import { StubUpstream, targetOf } from './stub-upstream.ts';

/** How one request for a blob is answered. */
export interface Transfer {
  /** The request itself fails. */
  readonly refuses?: UpstreamError;
  /** Range is ignored: the body begins at 0. */
  readonly ignoresRange?: boolean;
  /** Bytes of the body; then it ends, as if that were all, or breaks off by `breaks`. */
  readonly upTo?: number;
  readonly breaks?: Error;
  /** Sent in place of the content. */
  readonly content?: Uint8Array;
}

export interface ScriptedBlob {
  readonly target: Target;
  /** What was asked for, in order; undefined is the whole. */
  readonly asked: readonly (ByteRange | undefined)[];
  /** Bodies that were neither read to their end nor destroyed. */
  readonly open: () => number;
}

export interface ScriptedBlobOptions {
  readonly chunk?: number;
  /** Upstream does not tell the size. */
  readonly isSizeUnknown?: boolean;
}

export function breakOff(reason: UpstreamFailureReason = 'reset'): UpstreamError {
  return new UpstreamError('registry.test', 'unavailable', reason, 'the connection broke');
}

/** An upstream that answers its requests for one blob as told, one after the other; the last one for ever. */
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
