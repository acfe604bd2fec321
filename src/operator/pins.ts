import type { TagIndex } from '../index/tag-index.ts';
import type { Pin, PinEntry, PinIndex } from '../index/pin-index.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Tag } from '../oci/tag.ts';
import type { MaintainedContent } from '../upkeep/maintained-content.ts';
import { OperatorError } from './error.ts';
import { findKnown, formatAll, listPins } from './known.ts';
import { formatSelector, type Selector } from './selector.ts';

const PAGE = 500;

/**
 * Pins what is cached under the name; if it is a repository's name, each of its tags. A manifest that is only in memory
 * is stored first: a pin exempts what a manifest refers to only while the index knows that manifest.
 * @returns the names of the pins
 * @throws OperatorError `unknown`
 */
export async function pinContent(
  { index, mirror, clock }: Pick<MaintainedContent, 'index' | 'mirror' | 'clock'>,
  selectors: readonly Selector[],
): Promise<readonly string[]> {
  for (const selector of selectors)
    if (selector.kind === 'digest') await mirror.storeMissing(selector.digest);
  const selector = await findKnown(index, selectors);
  const pins = selector.kind === 'repository' ? await tagPins(index, selector.key) : [pinOf(selector)];
  if (pins.length === 0) {
    const message = `${formatSelector(selector)} has no tags here: name a digest of it`;
    throw new OperatorError('unknown', message);
  }
  for (const pin of pins) {
    const digest = pin.kind === 'digest' ? pin.digest : (await index.tag(pin.key, pin.tag))?.digest;
    if (digest !== undefined) await mirror.storeMissing(digest);
    await index.pin(pin, clock.now());
  }
  return pins.map(nameOf);
}

/**
 * Ends the pin of that name; if it is a repository's name, the pins of all its tags.
 * @returns the names of the pins
 * @throws OperatorError `unknown`
 */
export async function unpinContent(
  index: PinIndex,
  selectors: readonly Selector[],
): Promise<readonly string[]> {
  const all = await listPins(index);
  const pins = selectors.flatMap((selector) => all.filter((entry) => isMeant(entry, selector)));
  if (pins.length === 0) {
    throw new OperatorError('unknown', `there is no pin of ${formatAll(selectors)}`);
  }
  for (const { pin } of pins) await index.unpin(pin);
  return pins.map(({ name }) => name);
}

/** Whether the pin is one of the repository's tags. */
export function isOfRepository(
  { pin }: PinEntry,
  { registry: upstream, repository }: RepositoryKey,
): boolean {
  return pin.kind === 'tag' && pin.key.registry === upstream && pin.key.repository === repository;
}

function isMeant(entry: PinEntry, selector: Selector): boolean {
  if (selector.kind === 'repository') return isOfRepository(entry, selector.key);
  return entry.name === nameOf(pinOf(selector));
}

function pinOf(selector: Exclude<Selector, { kind: 'repository' }>): Pin {
  if (selector.kind === 'tag') return selector;
  return { kind: 'digest', digest: selector.digest };
}

function nameOf(pin: Pin): string {
  return formatSelector(pin);
}

async function tagPins(index: TagIndex, key: RepositoryKey): Promise<readonly Pin[]> {
  const tags: Tag[] = [];
  for (;;) {
    const page = await index.tags(key, { after: tags.at(-1), limit: PAGE });
    if (page.length === 0) return tags.map((tag) => ({ kind: 'tag', key, tag }));
    tags.push(...page);
  }
}
