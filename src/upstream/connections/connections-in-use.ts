import type { Dispatcher } from 'undici';

/** One request, from when it waits for a connection until it has released the connection. */
export interface ConnectionUse {
  /** Whether it has no connection because other requests use as many as there may be. */
  readonly hasFoundNone: boolean;
  /**
   * Waits until there is a connection for it, and takes that: undici counts its own alone, and not those of the reader.
   */
  take(): Promise<void>;
  /** Notes that the request has got a connection. */
  begin(): void;
  end(): void;
}

/**
 * Counts the connections in use to each origin. A request that gets none in time has met Larder's own congestion, which
 * says nothing about upstream. If a connection cannot be established, that is not congestion: fewer connections than
 * the limit are in use then.
 */
export class ConnectionsInUse {
  readonly #max: number;
  readonly #inUse = new Map<string, number>();
  #waiting: (() => void)[] = [];

  /** @param max most connections to one origin; absent: as many as there are requests */
  constructor(max = Infinity) {
    this.#max = max;
  }

  /** Number of connections in use, to all origins together. */
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
    const mustWait = (): boolean => !isOver && inUse() >= max;
    const begin = (): void => {
      // undici sends a request that was given up while it waited, and notices only then; Larder awaits no answer to
      // it.
      if (isHeld || isOver) return;
      count(1);
      isHeld = true;
    };
    return {
      get hasFoundNone() {
        return !isHeld && inUse() >= max;
      },
      take: async () => {
        while (mustWait()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        // All that wait are woken, so the first has to take the connection before the next looks.
        begin();
      },
      begin,
      end: () => {
        isOver = true;
        if (!isHeld) return;
        count(-1);
        isHeld = false;
        this.#wake();
      },
    };
  }

  #wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}

/** Calls `onStart` when a request is sent: until then it waits in undici for a connection. */
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
