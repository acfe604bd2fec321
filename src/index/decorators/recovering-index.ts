import type { ContentIndex } from '../content-index.ts';
import { IndexDamagedError } from '../error.ts';
import { mapMethods, type AnyMethod } from '../map-methods.ts';

export interface RecoveringIndexOptions {
  /** Opens the existing index, or an empty one. */
  readonly open: () => Promise<ContentIndex>;
  /** Moves the damaged index out of the way, if there is one. @returns its new path */
  readonly setAside: () => Promise<string>;
  /** Called when an empty index has replaced a damaged one: it must be filled with what the stored bytes tell. */
  readonly onReplaced: (error: IndexDamagedError, setAside: string) => void;
}

/**
 * Opens an index that may turn out to be damaged, at once or later, when the broken page is read. Then the index is set
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

  /** Resolves with the index once it is open. If it fails to open, the next call tries again. */
  async current(): Promise<ContentIndex> {
    if (this.#index !== undefined) return this.#index;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Returns an index with the methods of the first one. Each method calls the same method of the present index. */
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

  /** Closes the damaged index; of several calls that find the damage, only the first does. */
  async #giveUp(index: ContentIndex, damage: IndexDamagedError): Promise<void> {
    if (this.#index !== index) return;
    this.#index = undefined;
    this.#damage = damage;
    // An index that cannot be read may fail to close, too.
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
