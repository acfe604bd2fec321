import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../clock.ts';
import type { FunctionName, ResultOf, Work } from './functions.ts';
import { inlineParser, ParserError, type Parser } from './parser.ts';
import type { Answered } from './parse-thread.ts';

export interface ThreadParserOptions {
  readonly clock: Clock;
  /** Largest document that is parsed in the caller's thread, in bytes; absent: 256 KiB. */
  readonly inlineBytes?: number;
  /** Most memory of the thread that one document may keep from being collected; absent: 1 GiB. */
  readonly heapMiB?: number;
}

/** Takes about ten milliseconds to parse. */
const INLINE_BYTES = 256 * 1024;
/** A list of a million tags takes a fifth of it. */
const HEAP_MIB = 1024;
/** Most documents that wait, since each is in memory. More are refused: they would come too late for their clients. */
const MAX_WAITING = 64;
/** How long an idle thread is kept: its memory is worth more than the 30 ms that a new one takes. */
const IDLE_MS = 10_000;

interface Job {
  readonly work: Work;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Parses small documents at once, and large ones in one other thread, one after the other. The thread starts with the
 * first large document, ends when there have been none for a while, and is replaced if a document kills it.
 */
export class ThreadParser implements Parser, AsyncDisposable {
  readonly #options: ThreadParserOptions;
  readonly #jobs: Job[] = [];
  #worker: Worker | undefined;
  #cancelEnd: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ThreadParserOptions) {
    this.#options = options;
  }

  /** Number of documents that wait for the thread, including the one in it. */
  get waiting(): number {
    return this.#jobs.length;
  }

  run<Name extends FunctionName>(work: Work<Name>, bytes: number): Promise<ResultOf<Name>> {
    const { inlineBytes = INLINE_BYTES } = this.#options;
    if (bytes <= inlineBytes) return inlineParser.run(work, bytes);
    if (this.#isClosed || this.#jobs.length >= MAX_WAITING) {
      return Promise.reject(new ParserError('too many large documents wait to be read'));
    }
    return new Promise((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject });
      if (this.#jobs.length === 1) this.#post();
    });
  }

  /** Ends the thread; documents in it and waiting for it fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
    for (const job of this.#jobs.splice(0)) job.reject(new ParserError('the program ends'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Gives the thread the next job; without one, ends it after a while. */
  #post(): void {
    const job = this.#jobs[0];
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    if (job === undefined) {
      this.#worker?.unref();
      this.#cancelEnd = this.#options.clock.after(IDLE_MS, () => void this.#end());
      return;
    }
    const { name, args, transfer = [] } = job.work;
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage({ name, args }, transfer);
    } catch (cause) {
      // The thread never gets the job, so no answer would come that moves the queue.
      this.#jobs.shift();
      job.reject(new ParserError('it cannot be given to the thread that reads documents', { cause }));
      this.#post();
    }
  }

  #start(): Worker {
    // The same file, `.ts` before and `.js` after compilation.
    const file = new URL(`./parse-thread${extname(import.meta.filename)}`, import.meta.url);
    const { heapMiB = HEAP_MIB } = this.#options;
    const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: heapMiB } });
    worker.on('message', (answered: Answered) => {
      if (worker !== this.#worker) return;
      const job = this.#jobs.shift();
      if ('result' in answered) job?.resolve(answered.result as never);
      else job?.reject(new ParserError(answered.error));
      this.#post();
    });
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker));
    return worker;
  }

  /** Fails the document that killed the thread; the waiting ones get a new thread. */
  #lost(worker: Worker, cause?: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#jobs.shift()?.reject(new ParserError('it took more memory than there is for one', { cause }));
    if (!this.#isClosed) this.#post();
  }

  async #end(): Promise<void> {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
