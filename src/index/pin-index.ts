import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/tag.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What is exempt from eviction: a digest, or the digest that a tag stands for now; each with all that it refers to. */
export type Pin =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly key: RepositoryKey; readonly tag: Tag };

/** A pin as a listing shows it. */
export interface PinEntry {
  /** `sha256:…` or `registry/repository:tag`. */
  readonly name: string;
  readonly pin: Pin;
  /** The digest that the pin exempts now; undefined if the index does not know the tag. */
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly pinnedAt: number;
}

/** What operators have exempted from eviction. */
export interface PinIndex {
  /** Exempts from eviction, which also counts as a use. Pinning again changes nothing but the time. */
  pin(pin: Pin, pinnedAt: number): Promise<void>;
  /** Ends the pin. @returns whether there was one */
  unpin(pin: Pin): Promise<boolean>;
  /** Pins in ASCII order of their names. */
  pins(page: Page<string>): Promise<readonly PinEntry[]>;
}
