import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Downloaded, Wanted } from './download.ts';
import type { Contestant } from './server.ts';
import type { StoredBlob } from './storage.ts';

export type Order =
  | { readonly kind: 'fetch'; readonly wanted: readonly Wanted[] }
  | { readonly kind: 'hold'; readonly wanted: readonly Wanted[]; readonly bytesPerSecond: number }
  | { readonly kind: 'count' | 'release' };

export type Report =
  | { readonly kind: 'fetched'; readonly wallMs: number; readonly answers: readonly Downloaded[] }
  | { readonly kind: 'held'; readonly bytes: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };

/** What a number of clients that fetched at once have seen. */
export interface Fetched {
  /** From the first request to the last byte of all, in milliseconds. */
  readonly wallMs: number;
  readonly answers: readonly Downloaded[];
}

const PROGRAM = join(import.meta.dirname, 'fetcher-process.ts');

/** Clients in a process of their own, so that this one takes nothing from them. */
export class Fetcher implements AsyncDisposable {
  readonly #child = fork(PROGRAM, { stdio: 'inherit' });

  /** Fetches the blobs at once, each by a client of its own. @throws Error where one did not come whole */
  async fetch({ name, url }: Contestant, blobs: readonly StoredBlob[]): Promise<Fetched> {
    const report = await this.#ask({ kind: 'fetch', wanted: wantedOf(url, blobs) });
    if (report.kind !== 'fetched') throw new Error(`${name}: ${JSON.stringify(report)}`);
    report.answers.forEach(({ status, bytes }, i) => {
      const expected = blobs[i]?.size;
      if (status === 200 && bytes === expected) return;
      throw new Error(`${name} answered with ${status} and ${bytes} bytes of ${expected}`);
    });
    return report;
  }

  /** Clients that read at a rate until they are released. */
  async hold({ url }: Contestant, blobs: readonly StoredBlob[], bytesPerSecond: number): Promise<void> {
    await this.#ask({ kind: 'hold', wanted: wantedOf(url, blobs), bytesPerSecond });
  }

  /** What each of those who are held has read so far, in bytes. */
  async count(): Promise<readonly number[]> {
    return bytesOf(await this.#ask({ kind: 'count' }));
  }

  /** Ends those who are held. @returns what each has read, in bytes */
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
