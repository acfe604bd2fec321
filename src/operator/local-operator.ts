import type { Page } from '../index/page.ts';
import type { PinEntry } from '../index/pin-index.ts';
import type { MaintainedContent } from '../upkeep/maintained-content.ts';
import { explained } from './explained.ts';
import { countContent, listRepositories, listTags } from './inventory.ts';
import type { ContentStats, RepositoryRow, TagRow } from './inventory.ts';
import type { Operator } from './operator.ts';
import { pinContent, unpinContent } from './pins.ts';
import { removeContent, type Removed } from './remove.ts';
import { parseSelectors, type NamingOptions, type Selector } from './selector.ts';

export interface LocalOperatorOptions extends MaintainedContent {
  readonly naming: NamingOptions;
  /** The cap of the cache, for the stats. */
  readonly maxBytes: number | undefined;
}

/** Does what operators ask for, in the process that owns the cache directory. */
export class LocalOperator implements Operator {
  readonly #options: LocalOperatorOptions;

  constructor(options: LocalOperatorOptions) {
    this.#options = options;
  }

  stats(): Promise<ContentStats> {
    const { index, store, maxBytes } = this.#options;
    return explained(() => countContent(index, store, maxBytes));
  }

  repositories(page: Page<string>): Promise<readonly RepositoryRow[]> {
    return explained(() => listRepositories(this.#options.index, page));
  }

  tags(repository: string, page: Page<string>): Promise<readonly TagRow[]> {
    return explained(() => listTags(this.#options.index, this.#parse(repository), page));
  }

  pins(page: Page<string>): Promise<readonly PinEntry[]> {
    return explained(() => this.#options.index.pins(page));
  }

  remove(reference: string): Promise<Removed> {
    return explained(() => removeContent(this.#options, this.#parse(reference)));
  }

  pin(reference: string): Promise<readonly string[]> {
    return explained(() => pinContent(this.#options, this.#parse(reference)));
  }

  unpin(reference: string): Promise<readonly string[]> {
    return explained(() => unpinContent(this.#options.index, this.#parse(reference)));
  }

  #parse(reference: string): readonly Selector[] {
    return parseSelectors(reference, this.#options.naming);
  }
}
