import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';

/** The file that an upstream's `ca` was read from, as it is now. */
export interface CertificateFile {
  /** A text that is another one once the file has changed. Rejects where there is no file. */
  version(): Promise<string>;
  /** Its PEM certificates. Rejects where it cannot be read or holds something else. */
  read(): Promise<string>;
}

export interface TrustOptions {
  readonly upstream: string;
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string | undefined;
  /** Where `ca` was read; absent: it stays as it is. */
  readonly caFile?: CertificateFile | undefined;
  readonly clock: Clock;
  readonly events: Events;
  readonly makeContext?: MakeContext | undefined;
}

export type MakeContext = (ca: string | undefined) => SecureContext;

/** How long the file is taken to be as it was, in milliseconds. */
const LOOK_MS = 5_000;

/** A context that trusts `ca` besides the system's authorities: an object store behind the registry may have one of those. */
export function systemContext(ca: string | undefined): SecureContext {
  // `ca` replaces the defaults in Node.
  return createSecureContext(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] });
}

/**
 * Whom an upstream's connections trust, made once for all of them: to parse the system's certificates beside a `ca`
 * takes tens of milliseconds of the event loop. A file that has changed is read again, so that a renewed authority
 * needs no restart; one that cannot be used leaves all as it was, and is told of once.
 */
export class Trust {
  readonly #options: TrustOptions;
  #ca: string | undefined;
  #context: SecureContext | undefined;
  #version: string | undefined;
  #lookedAt: number | undefined;
  #looking: Promise<void> | undefined;
  #isTold = false;

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#ca = options.ca;
  }

  /** For a connection that is to be made now. The same object for as long as the same certificates are trusted. */
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
      this.#isTold = false;
    } catch (error) {
      if (!this.#isTold) this.#tell('unusable', error);
      this.#isTold = true;
    }
  }

  /** @throws what the maker throws, all being as it was */
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
 * One thing for each context, in turn: whatever keeps TLS sessions keeps whom they were trusted by, and a resumed
 * session does not show its certificate again.
 */
export class ByContext<T> {
  readonly #make: (context: SecureContext) => T;
  #context: SecureContext | undefined;
  #made: T | undefined;

  constructor(make: (context: SecureContext) => T) {
    this.#make = make;
  }

  /** What was made of this context. */
  get(context: SecureContext): T {
    if (this.#made === undefined || context !== this.#context) {
      this.#made = this.#make(context);
      this.#context = context;
    }
    return this.#made;
  }
}
