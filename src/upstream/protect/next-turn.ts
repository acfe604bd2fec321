/** A call that has a turn, or waits for one. */
export interface TurnRequest {
  /** The client that waits for it; undefined if none does at present. */
  readonly client: string | undefined;
}

/** A client may hold at most this many times the turns that are left. */
const SHARE = 3;

/**
 * Chooses the next call to get a turn: the first in the queue whose client does not hold too many. The bound moves with
 * the number of turns left (as in switches whose ports share a memory): one client alone gets three quarters of all
 * turns, and the more clients there are, the fewer each may hold, so that some are left for a client that comes later.
 * A call without a client holds its turn only until a client needs it.
 * @param max number of turns in all
 * @returns undefined if no call may go; if all turns are held, a call without a client has to yield first
 */
export function nextTurn<Waiting extends TurnRequest>(
  max: number,
  holding: Iterable<TurnRequest>,
  waiting: Iterable<Waiting>,
): Waiting | undefined {
  const held = new Map<string | undefined, number>();
  for (const { client } of holding) held.set(client, (held.get(client) ?? 0) + 1);
  const idle = held.get(undefined) ?? 0;
  const wanted = [...held.values()].reduce((sum, count) => sum + count, -idle);
  const left = max - wanted;
  let unwanted: Waiting | undefined;
  for (const next of waiting) {
    if (next.client === undefined) unwanted ??= next;
    else if ((held.get(next.client) ?? 0) < SHARE * left) return next;
  }
  return wanted + idle < max ? unwanted : undefined;
}
