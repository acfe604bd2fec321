import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Network } from '../upstream/connections/network.ts';
import type { ProxyFor } from '../upstream/connections/proxy.ts';
import { createUpstream } from '../upstream/create-upstream.ts';
import type { CredentialSource } from '../upstream/credentials/credentials.ts';
import type { RegistryIdentity } from '../upstream/credentials/source.ts';
import { addressOf } from './address.ts';
import type { AskedRegistry } from './asked.ts';
import { Asker } from './asker.ts';

/** Longer than a Larder takes to answer, since it may itself wait for a registry. */
const TIMEOUTS = { connectMs: 5_000, headersMs: 30_000, bodyMs: 30_000 };

export interface AskersOptions {
  /** The mirror to go through; absent: each registry is asked itself. */
  readonly via?: URL | undefined;
  /** Whether to ask by plain http. */
  readonly isInsecure: boolean;
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string | undefined;
  /** Finds the account for a registry or a mirror; undefined: anonymous. */
  readonly accountOf: (place: RegistryIdentity) => CredentialSource | undefined;
  readonly proxyFor?: ProxyFor | undefined;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly events: Events;
  /** Absent: the machine's own network. */
  readonly network?: Network | undefined;
}

/** The askers of all registries that one command asks; each keeps its connections and tokens. */
export class Askers {
  readonly #options: AskersOptions;
  readonly #askers = new Map<string, Asker>();

  constructor(options: AskersOptions) {
    this.#options = options;
  }

  /** Returns the asker of a registry. It connects to nothing yet. @throws AskError if the name cannot be a host */
  of(registry: AskedRegistry): Asker {
    const { scheme = '', name } = registry;
    const key = `${scheme}//${name}`;
    const known = this.#askers.get(key);
    if (known !== undefined) return known;
    const made = new Asker(this.#upstreamOf(registry));
    this.#askers.set(key, made);
    return made;
  }

  /** Closes all connections; questions that still run fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#askers.values()].map((asker) => asker.close()));
  }

  #upstreamOf(registry: AskedRegistry): ReturnType<typeof createUpstream> {
    const { via, isInsecure, ca, accountOf, proxyFor, userAgent, clock, events, network } = this.#options;
    const address = addressOf(registry, { via, isInsecure, hasAuthority: ca !== undefined });
    const { name, url, account, trustedRealms } = address;
    const credentials = accountOf({ name: account, url });
    const settings = { name, url, credentials, trustedRealms, ca, proxyFor, userAgent, timeouts: TIMEOUTS };
    return createUpstream(settings, { clock, events, ...(network !== undefined && { network }) });
  }
}
