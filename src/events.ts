import type { Digest } from './oci/digest.ts';

/** How a request to an upstream ended: with success, or in one of the four classes of failure. */
export type UpstreamResult = 'ok' | 'absent' | 'denied' | 'throttled' | 'unavailable';

/**
 * An event, which the core tells its listeners (`observe/`). It carries no secret and no body.
 * Durations are milliseconds, sizes bytes.
 */
export type LarderEvent =
  | {
      readonly kind: 'upstream-request';
      readonly upstream: string;
      readonly method: string;
      readonly target: 'manifest' | 'blob' | 'tags' | 'referrers' | 'catalog' | 'token' | 'ping';
      readonly result: UpstreamResult;
      /** Absent if no answer came. */
      readonly status?: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'upstream-bytes'; readonly upstream: string; readonly bytes: number }
  | {
      readonly kind: 'rate-limit';
      readonly upstream: string;
      readonly limit: number;
      readonly remaining: number;
    }
  | {
      readonly kind: 'breaker-changed';
      readonly upstream: string;
      readonly state: 'closed' | 'open' | 'half-open';
      /** Why the breaker is not closed. */
      readonly error?: unknown;
    }
  | {
      readonly kind: 'account-changed';
      readonly upstream: string;
      readonly state: 'refused' | 'accepted';
      /** How the account was refused. */
      readonly error?: unknown;
    }
  | {
      readonly kind: 'authority-changed';
      readonly upstream: string;
      /** `unusable`: the certificates that were read before still count. */
      readonly state: 'renewed' | 'unusable';
      /** Why the file cannot be used. */
      readonly error?: unknown;
    }
  | {
      /** Whether the keys of an OpenID Connect issuer can be fetched. Those that were fetched before stay in use. */
      readonly kind: 'issuer-changed';
      /** Its name in the configuration. */
      readonly issuer: string;
      readonly state: 'failing' | 'ok';
      /** Why they cannot be fetched. */
      readonly error?: unknown;
    }
  | {
      /** Credentials that prove nothing, or could not be checked. A flood of them is told in part. */
      readonly kind: 'login-failed';
      /** The key of the client's address. */
      readonly client: string;
      /** What the client sent as its credentials. The log hides fields called `credentials`. */
      readonly form: 'none' | 'password' | 'token' | 'jwt' | 'unusable';
      /** The name of a user that exists, the token's id or its issuer, as the client says it. */
      readonly account: string | undefined;
      /** As AccessFailure. */
      readonly failure: string;
      /** How many failures before this one were not told. */
      readonly untold: number;
      readonly error: unknown;
    }
  | {
      /** A file that says who may log in was changed, and is in use; or cannot be used. */
      readonly kind: 'access-changed';
      readonly source: 'users' | 'tokens';
      /** `unusable`: what was read before still counts. */
      readonly state: 'changed' | 'unusable';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      /** Those whose password, secret or expiry is another one now. */
      readonly altered: readonly string[];
      /** Why the file cannot be used. */
      readonly error?: unknown;
    }
  | {
      /** The files of `tls` have changed. */
      readonly kind: 'certificate-changed';
      /** `unusable`: what they said before still counts. */
      readonly state: 'renewed' | 'unusable';
      /** Why they cannot be used. */
      readonly error?: unknown;
    }
  | { readonly kind: 'fill-started'; readonly upstream: string; readonly digest: Digest }
  | {
      readonly kind: 'fill-resumed';
      readonly upstream: string;
      readonly digest: Digest;
      readonly offset: number;
    }
  | {
      readonly kind: 'fill-ended';
      readonly upstream: string;
      readonly digest: Digest;
      readonly outcome: 'stored' | 'failed' | 'abandoned';
      readonly bytes: number;
      readonly error?: unknown;
    }
  | {
      readonly kind: 'verification-failed';
      readonly upstream: string;
      readonly digest: Digest;
      readonly error: unknown;
    }
  | {
      readonly kind: 'tag-moved';
      readonly upstream: string;
      readonly repository: string;
      readonly tag: string;
      readonly from: Digest;
      readonly to: Digest;
    }
  | {
      readonly kind: 'stale-served';
      readonly upstream: string;
      readonly repository: string;
      readonly reference: string;
      readonly error: unknown;
    }
  | { readonly kind: 'store-failed'; readonly operation: string; readonly error: unknown }
  | { readonly kind: 'evicted'; readonly blobs: number; readonly bytes: number }
  | {
      readonly kind: 'eviction-ended';
      readonly blobs: number;
      readonly bytes: number;
      readonly durationMs: number;
      /** Bytes that should still go but cannot: the rest is pinned, in use, or another program's on the same disk. */
      readonly missing: number;
      /** How many blobs were passed over because they are pinned, and because they are in use. */
      readonly pinned: number;
      readonly held: number;
      /** Duration of each step, milliseconds. */
      readonly steps: Readonly<Record<string, number>>;
      readonly error?: unknown;
    }
  | {
      readonly kind: 'disk-changed';
      readonly state: 'ok' | 'failing';
      /** Why the disk fails. */
      readonly error?: unknown;
    }
  | {
      /** Stored bytes were wrong or unreadable; the next pull fetches them from upstream again. */
      readonly kind: 'blob-quarantined';
      readonly digest: Digest;
      readonly error: unknown;
    }
  | {
      /** An empty index has taken a damaged one's place. */
      readonly kind: 'index-replaced';
      /** The path of the damaged index now. */
      readonly setAside: string;
      readonly error: unknown;
    }
  | {
      /** The keys that sign Larder's own tokens were damaged, and new ones will be made. */
      readonly kind: 'keys-replaced';
      /** The path of the damaged file now. */
      readonly setAside: string;
      readonly error: unknown;
    }
  | {
      /** The index is of an older Larder. The upgrade to the newer schema may take long, and blocks everything else. */
      readonly kind: 'index-upgrade-begun';
      /** Versions of the schema. */
      readonly from: number;
      readonly to: number;
    }
  | {
      /** The index of an older Larder was upgraded to the newer schema. */
      readonly kind: 'index-upgraded';
      /** Versions of the schema. */
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'maintenance-ended';
      readonly task: 'reconcile' | 'forget' | 'verify';
      readonly durationMs: number;
      /** Counts by name, from the run's steps. */
      readonly stats: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'maintenance-failed';
      readonly task: 'reconcile' | 'forget' | 'verify' | 'control' | 'warm';
      readonly error: unknown;
    }
  | {
      /** A mistake in the program itself, which cost no more than one request or connection. */
      readonly kind: 'server-failed';
      readonly operation: string;
      readonly error: unknown;
    }
  | {
      /** Access control refused a request. */
      readonly kind: 'access-denied';
      /** The request's id. */
      readonly id: string;
      readonly client: string;
      /** As in `ServedRequest`. */
      readonly user: string | undefined;
      /** The class of the refusal, in the words of `access/access-error.ts`. */
      readonly failure: string;
      /** What the client wanted to do, and where; undefined if the request was refused before that was known. */
      readonly action: string | undefined;
      readonly upstream: string | undefined;
      readonly repository: string | undefined;
    }
  | { readonly kind: 'request-served'; readonly request: ServedRequest };

/** One line of the access log. */
export interface ServedRequest {
  readonly id: string;
  readonly client: string;
  /** Who the client has proved to be: `user:alice`, `serviceaccount:ci/builder`; absent if it sent no credentials. */
  readonly user?: string | undefined;
  readonly userAgent: string;
  readonly method: string;
  /** The path as the client sent it, and the query parameters that Larder knows. */
  readonly url: string;
  /** What the client asked for; `other` for health, metrics and paths outside the registry. */
  readonly requestKind:
    'manifest' | 'blob' | 'tags' | 'referrers' | 'catalog' | 'ping' | 'token' | 'invalid' | 'other';
  readonly upstream?: string | undefined;
  readonly repository?: string | undefined;
  readonly reference?: string | undefined;
  /** `hit`, `miss`, `revalidated`, `stale`, `bypass` or `error`; absent if neither cache nor upstream had a part. */
  readonly outcome?: string | undefined;
  readonly status: number;
  /** Bytes of body sent. */
  readonly bytes: number;
  /** False if the connection was cut before the whole answer was sent. */
  readonly complete: boolean;
  readonly firstByteMs?: number | undefined;
  readonly durationMs: number;
  readonly error?: unknown;
}

export type Listener = (event: LarderEvent) => void;

/** The event bus. A listener that throws disturbs neither the other listeners nor the core. */
export interface Events {
  emit(event: LarderEvent): void;
  /** @returns a function that ends the subscription. */
  subscribe(listener: Listener): () => void;
}

export function createEvents(): Events {
  const listeners = new Set<Listener>();
  return {
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          // A listener's bug must not break the work that the event tells of.
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
