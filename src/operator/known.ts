import type { TagIndex } from '../index/tag-index.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { BelongingIndex } from '../index/belonging-index.ts';
import type { PinEntry, PinIndex } from '../index/pin-index.ts';
import { OperatorError } from './error.ts';
import { formatSelector, type Selector } from './selector.ts';

const PAGE = 500;

type KnownIndex = BlobIndex & TagIndex & BelongingIndex;

/**
 * Returns the first selector that something cached matches.
 * @throws OperatorError `unknown`
 */
export async function findKnown(index: KnownIndex, selectors: readonly Selector[]): Promise<Selector> {
  for (const selector of selectors) if (await isKnown(index, selector)) return selector;
  throw new OperatorError('unknown', `nothing is cached of ${formatAll(selectors)}`);
}

/** Formats all possible meanings of a reference, for messages. */
export function formatAll(selectors: readonly Selector[]): string {
  return selectors.map(formatSelector).join(' nor of ');
}

async function isKnown(index: KnownIndex, selector: Selector): Promise<boolean> {
  switch (selector.kind) {
    case 'digest':
      return (await index.blob(selector.digest)) !== undefined;
    case 'tag':
      return (await index.tag(selector.key, selector.tag)) !== undefined;
    case 'content':
      return (await index.standing(selector.key, selector.digest)).source !== undefined;
    case 'repository': {
      const first = { limit: 1 };
      const found = [await index.tags(selector.key, first), await index.belongings(selector.key, first)];
      return found.some((page) => page.length > 0);
    }
  }
}

/** Returns all pins. Operators set them by hand, so there are few enough for memory. */
export async function listPins(index: PinIndex): Promise<readonly PinEntry[]> {
  const pins: PinEntry[] = [];
  for (;;) {
    const page = await index.pins({ after: pins.at(-1)?.name, limit: PAGE });
    if (page.length === 0) return pins;
    pins.push(...page);
  }
}
