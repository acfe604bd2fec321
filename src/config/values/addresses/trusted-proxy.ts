import { textLeaf, unchanged, type Leaf } from '../leaf.ts';
import { parseNetwork } from './network.ts';

/** The word for the proxies that connect to Larder's Unix socket: they have no address. */
const UNIX = 'unix';

/** A proxy in front of Larder: a network with its prefix length, or `unix`. */
export function trustedProxy(): Leaf<string> {
  return textLeaf({
    title: 'network',
    expected: 'an address or a network such as 10.0.0.2 or 10.0.0.0/8, or unix',
    parse: (text) => (text === UNIX ? text : parseNetwork(text)),
    format: unchanged,
  });
}
