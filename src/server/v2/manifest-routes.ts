import type { IncomingMessage } from 'node:http';
import type { Target } from '../../mirror/target.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { hasTwoHosts } from './addressed-once.ts';
import { Memo } from './memo.ts';
import type { UpstreamTable } from './select-upstream.ts';
import { splitUrl } from '../split-url.ts';
import { isV2Path, parseV2Path } from './v2-path.ts';

/** What a request for a manifest means. */
export interface ManifestRoute {
  readonly target: Target;
  readonly reference: Reference;
  /** The reference as text. */
  readonly referenceText: string;
  readonly ns: string | undefined;
}

/** Which manifest is asked for. The same request means the same for as long as the program runs: it is read once. */
export class ManifestRoutes {
  readonly #upstreams: UpstreamTable;
  readonly #known = new Memo<ManifestRoute>();

  constructor(upstreams: UpstreamTable) {
    this.#upstreams = upstreams;
  }

  /** Undefined where it is no GET or HEAD of a manifest, or there is something wrong with it. */
  find({ method, url = '', headers: { host = '' }, rawHeaders }: IncomingMessage): ManifestRoute | undefined {
    if ((method !== 'GET' && method !== 'HEAD') || !url.includes('/manifests/')) return undefined;
    if (hasTwoHosts(rawHeaders)) return undefined;
    const key = `${host} ${url}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const route = this.#read(url, host);
    if (route !== undefined) this.#known.put(key, route);
    return route;
  }

  #read(url: string, host: string): ManifestRoute | undefined {
    const { path: rawPath, query } = splitUrl(url);
    if (!isV2Path(rawPath)) return undefined;
    const [ns, ...others] = query.getAll('ns');
    if (others.length > 0) return undefined;
    try {
      const path = parseV2Path(rawPath);
      if (path.kind !== 'manifest') return undefined;
      const { segments, prefix, reference } = path;
      const target = this.#upstreams.select({ segments, prefix, ns, host });
      return { target, reference, referenceText: formatReference(reference), ns };
    } catch {
      // The registry says what is wrong, to one who asks it.
      return undefined;
    }
  }
}
