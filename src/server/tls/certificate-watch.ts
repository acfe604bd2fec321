import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';

/** What a server needs for TLS, as PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Authorities of which a client must have a certificate; undefined: clients need none. */
  readonly clientCa: string | undefined;
}

/** The files that hold it, as they are now. */
export interface TlsFiles {
  /** Returns a text that differs once a file has changed. Rejects if one is not there. */
  version(): Promise<string>;
  /** Reads the files. Rejects if one cannot be used, or the key does not belong to the certificate. */
  read(): Promise<TlsMaterial>;
}

/** Interval between looks at the files, in milliseconds. */
const LOOK_MS = 5_000;
/** Failed looks in a row that are told: a program that renews writes one file after the other. */
const TOLD_AT = 2;

/**
 * Looks whether the files of a certificate have changed, and has them used then. Files that cannot be used change
 * nothing, and are told of once.
 */
export class CertificateWatch {
  readonly #files: TlsFiles;
  readonly #clock: Clock;
  readonly #events: Events;
  #used: TlsMaterial;
  #version: string | undefined;
  #failures = 0;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  /** @param used what the server was started with */
  constructor(files: TlsFiles, used: TlsMaterial, { clock, events }: { clock: Clock; events: Events }) {
    this.#files = files;
    this.#used = used;
    this.#clock = clock;
    this.#events = events;
  }

  /** Begins to look. @param use makes new connections use the material; may throw, and then has changed nothing */
  start(use: (material: TlsMaterial) => void): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#looking = this.#look(use).then(() => {
        if (!this.#isClosed) this.start(use);
      });
    });
  }

  /** Ends looking. Resolves once no file is being read any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#looking;
  }

  async #look(use: (material: TlsMaterial) => void): Promise<void> {
    try {
      const version = await this.#files.version();
      if (version !== this.#version) {
        const material = await this.#files.read();
        if (!isSame(material, this.#used)) {
          use(material);
          this.#used = material;
          this.#events.emit({ kind: 'certificate-changed', state: 'renewed' });
        }
        this.#version = version;
      }
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === TOLD_AT)
        this.#events.emit({ kind: 'certificate-changed', state: 'unusable', error });
    }
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}
