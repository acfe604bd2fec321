import type { Dispatcher } from 'undici';

/** One request, from when it waits for a connection until it has given it back. */
export interface ConnectionUse {
  /** Whether it has none, and all that there may be are in use by others. */
  readonly hasFoundNone: boolean;
  /** It has got a connection. */
  begin(): void;
  end(): void;
}

/**
 * How many connections to each origin are in use. A request that gets none in time has met Larder's own congestion,
 * which says nothing of upstream. One whose connection does not come about is not such a request: then too few are in
 * use.
 */
export class ConnectionsInUse {
  readonly #max: number;
  readonly #inUse = new Map<string, number>();

  /** @param max to one origin; undefined: as many as there are requests */
  constructor(max = Infinity) {
    this.#max = max;
  }

  /** How many are in use, to all origins together. */
  get size(): number {
    return [...this.#inUse.values()].reduce((sum, count) => sum + count, 0);
  }

  request(origin: string): ConnectionUse {
    const inUse = (): number => this.#inUse.get(origin) ?? 0;
    const count = (change: 1 | -1): void => {
      const left = inUse() + change;
      if (left === 0) this.#inUse.delete(origin);
      else this.#inUse.set(origin, left);
    };
    const max = this.#max;
    let isHeld = false;
    let isOver = false;
    return {
      get hasFoundNone() {
        return !isHeld && inUse() >= max;
      },
      begin() {
        // undici sends a request that was given up while it waited before it notices: no answer of it is waited for.
        if (isHeld || isOver) return;
        count(1);
        isHeld = true;
      },
      end() {
        isOver = true;
        if (isHeld) count(-1);
        isHeld = false;
      },
    };
  }
}

/** Tells when a request goes out: until then it waits in undici for a connection. */
export function noting(onStart: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context) => {
      onStart();
      start?.(controller, context);
    };
    return dispatch(options, handler);
  };
}
