import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Downloaded, Wanted } from './download.ts';
import type { Contestant } from './server.ts';
import type { StoredBlob } from './storage.ts';

export type Order =
  | { readonly kind: 'fetch'; readonly wanted: readonly Wanted[]; readonly atOnce: number }
  | { readonly kind: 'hold'; readonly wanted: readonly Wanted[]; readonly bytesPerSecond: number }
  | { readonly kind: 'count' | 'release' };

export type Report =
  | { readonly kind: 'fetched'; readonly wallMs: number; readonly answers: readonly Downloaded[] }
  | { readonly kind: 'held'; readonly bytes: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };

/** The results of clients that fetched at the same time. */
export interface Fetched {
  /** Time from the first request to the last byte of all clients, in milliseconds. */
  readonly wallMs: number;
  readonly answers: readonly Downloaded[];
}

const PROGRAM = join(import.meta.dirname, 'fetcher-process.ts');

/** Clients in a process of their own, so that this process takes no time from them. */
export class Fetcher implements AsyncDisposable {
  readonly #child = fork(PROGRAM, { stdio: 'inherit' });

  /**
   * Fetches the blobs, each on a connection of its own.
   * @param atOnce how many at the same time, by default all
   * @throws Error if one did not come whole
   */
  async fetch(
    { name, url }: Contestant,
    blobs: readonly StoredBlob[],
    atOnce = blobs.length,
  ): Promise<Fetched> {
    const report = await this.#ask({ kind: 'fetch', wanted: wantedOf(url, blobs), atOnce });
    if (report.kind !== 'fetched') throw new Error(`${name}: ${JSON.stringify(report)}`);
    report.answers.forEach(({ status, bytes }, i) => {
      const expected = blobs[i]?.size;
      if (status === 200 && bytes === expected) return;
      throw new Error(`${name} answered with ${status} and ${bytes} bytes of ${expected}`);
    });
    return report;
  }

  /** Starts clients that read at a rate until they are released. */
  async hold({ url }: Contestant, blobs: readonly StoredBlob[], bytesPerSecond: number): Promise<void> {
    await this.#ask({ kind: 'hold', wanted: wantedOf(url, blobs), bytesPerSecond });
  }

  /** Returns the bytes that each held client has read so far. */
  async count(): Promise<readonly number[]> {
    return bytesOf(await this.#ask({ kind: 'count' }));
  }

  /** Ends the held clients. @returns the bytes that each has read */
  async release(): Promise<readonly number[]> {
    return bytesOf(await this.#ask({ kind: 'release' }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }

  async #ask(order: Order): Promise<Report> {
    const { promise, resolve, reject } = Promise.withResolvers<Report>();
    const onExit = (): void => reject(new Error('the clients have ended'));
    this.#child.once('message', resolve);
    this.#child.once('exit', onExit);
    this.#child.send(order);
    return promise.finally(() => {
      this.#child.off('message', resolve);
      this.#child.off('exit', onExit);
    });
  }
}

function wantedOf(url: string, blobs: readonly StoredBlob[]): readonly Wanted[] {
  const port = Number(new URL(url).port);
  return blobs.map(({ path }) => ({ port, path }));
}

function bytesOf(report: Report): readonly number[] {
  if (report.kind === 'held') return report.bytes;
  throw new Error(`the clients failed: ${JSON.stringify(report)}`);
}
