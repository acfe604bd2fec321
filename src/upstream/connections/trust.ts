import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';

/** The file that an upstream's `ca` was read from, as it is now. */
export interface CertificateFile {
  /** Returns a text that differs once the file has changed. Rejects if there is no file. */
  version(): Promise<string>;
  /** Reads its PEM certificates. Rejects if it cannot be read or holds something else. */
  read(): Promise<string>;
}

export interface TrustOptions {
  readonly upstream: string;
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string | undefined;
  /** The file that `ca` was read from; absent: `ca` never changes. */
  readonly caFile?: CertificateFile | undefined;
  readonly clock: Clock;
  readonly events: Events;
  readonly makeContext?: MakeContext | undefined;
}

export type MakeContext = (ca: string | undefined) => SecureContext;

/** Interval between looks at the file, in milliseconds. */
const LOOK_MS = 5_000;

/**
 * Makes a context that trusts `ca` besides the system's authorities, since an object store behind the registry may have
 * its certificate from one of the system's.
 */
export function systemContext(ca: string | undefined): SecureContext {
  // In Node, `ca` replaces the default authorities.
  return createSecureContext(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] });
}

/**
 * The authorities that an upstream's connections trust. All connections share one context, since parsing the system's
 * certificates besides a `ca` takes tens of milliseconds of the event loop. A changed file is read again, so that a
 * renewed authority needs no restart; an unusable file changes nothing, and is reported once.
 */
export class Trust {
  readonly #options: TrustOptions;
  #ca: string | undefined;
  #context: SecureContext | undefined;
  #version: string | undefined;
  #lookedAt: number | undefined;
  #looking: Promise<void> | undefined;
  #isReported = false;

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#ca = options.ca;
  }

  /** Returns the context for a new connection: the same object for as long as the same certificates are trusted. */
  async context(): Promise<SecureContext> {
    await this.#look();
    const { makeContext = systemContext } = this.#options;
    this.#context ??= makeContext(this.#ca);
    return this.#context;
  }

  async #look(): Promise<void> {
    const { caFile, clock } = this.#options;
    if (caFile === undefined) return;
    const now = clock.monotonic();
    if (this.#lookedAt === undefined || now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#looking = this.#renew(caFile);
    }
    await this.#looking;
  }

  async #renew(file: CertificateFile): Promise<void> {
    try {
      const version = await file.version();
      if (version !== this.#version) {
        this.#use(await file.read());
        this.#version = version;
      }
      this.#isReported = false;
    } catch (error) {
      if (!this.#isReported) this.#tell('unusable', error);
      this.#isReported = true;
    }
  }

  /** @throws the error of `makeContext`; then nothing has changed */
  #use(ca: string): void {
    if (ca === this.#ca) return;
    const { makeContext = systemContext } = this.#options;
    this.#context = makeContext(ca);
    this.#ca = ca;
    this.#tell('renewed');
  }

  #tell(state: 'renewed' | 'unusable', error?: unknown): void {
    const { upstream, events } = this.#options;
    const why = error === undefined ? {} : { error };
    events.emit({ kind: 'authority-changed', upstream, state, ...why });
  }
}

/**
 * Keeps one value made for the present context, and makes another when the context changes. An object that keeps TLS
 * sessions needs this: a resumed session does not show its certificate again, so it would keep the old trust.
 */
export class ByContext<T> {
  readonly #make: (context: SecureContext) => T;
  #context: SecureContext | undefined;
  #made: T | undefined;

  constructor(make: (context: SecureContext) => T) {
    this.#make = make;
  }

  /** Returns the value made for this context. */
  get(context: SecureContext): T {
    if (this.#made === undefined || context !== this.#context) {
      this.#made = this.#make(context);
      this.#context = context;
    }
    return this.#made;
  }
}
