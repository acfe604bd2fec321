import type { ContentIndex } from './content-index.ts';
import { IndexDamagedError } from './error.ts';
import { mapMethods, type AnyMethod } from './map-methods.ts';

export interface RecoveringIndexOptions {
  /** Opens the index that is there, or an empty one. */
  readonly open: () => Promise<ContentIndex>;
  /** Moves what is damaged out of the way, if anything is there. @returns where it is now. */
  readonly setAside: () => Promise<string>;
  /** Told when an empty index has taken a damaged one's place: what can be told from the bytes is to be put into it. */
  readonly onReplaced: (error: IndexDamagedError, setAside: string) => void;
}

/**
 * An index that may turn out to be damaged, when it is opened or later when the broken page is read: it is set
 * aside, an empty one takes its place, and the call is made again there.
 * @throws what `open` and `setAside` throw
 */
export async function openRecoveringIndex(options: RecoveringIndexOptions): Promise<ContentIndex> {
  const recovering = new Recovering(options);
  return recovering.inPlaceOf(await recovering.current());
}

class Recovering {
  readonly #options: RecoveringIndexOptions;
  #index: ContentIndex | undefined;
  #opening: Promise<ContentIndex> | undefined;
  #damage: IndexDamagedError | undefined;

  constructor(options: RecoveringIndexOptions) {
    this.#options = options;
  }

  /** The index, once it is open. One that failed to open is tried again at the next call. */
  async current(): Promise<ContentIndex> {
    if (this.#index !== undefined) return this.#index;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** An index that has the methods of the first one, and calls those of the present one. */
  inPlaceOf(first: ContentIndex): ContentIndex {
    const methods = mapMethods(first, (_, name) => {
      return (...args) => this.#call(name, args);
    });
    return { ...methods, close: () => this.#close() };
  }

  async #call(name: keyof ContentIndex, args: readonly unknown[]): Promise<unknown> {
    const index = await this.current();
    try {
      return await (index[name] as AnyMethod)(...args);
    } catch (error) {
      if (error instanceof IndexDamagedError) await this.#giveUp(index, error);
      // Else another call has found the damage and closed the index under this call.
      else if (this.#index === index) throw error;
    }
    return ((await this.current())[name] as AnyMethod)(...args);
  }

  /** Of the calls that find the damage, the first one closes. */
  async #giveUp(index: ContentIndex, damage: IndexDamagedError): Promise<void> {
    if (this.#index !== index) return;
    this.#index = undefined;
    this.#damage = damage;
    // What cannot be read can perhaps not be closed in order either.
    await index.close().catch(() => undefined);
  }

  async #open(): Promise<ContentIndex> {
    if (this.#damage === undefined) {
      try {
        return (this.#index = await this.#options.open());
      } catch (error) {
        if (!(error instanceof IndexDamagedError)) throw error;
        this.#damage = error;
      }
    }
    return this.#replace(this.#damage);
  }

  async #replace(damage: IndexDamagedError): Promise<ContentIndex> {
    const setAside = await this.#options.setAside();
    this.#damage = undefined;
    this.#index = await this.#options.open();
    this.#options.onReplaced(damage, setAside);
    return this.#index;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.#index?.close();
  }
}
