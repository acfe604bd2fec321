/** Something that has a turn, or waits for one. */
export interface Standing {
  /** For which client; undefined: no client waits for it at present. */
  readonly client: string | undefined;
}

/** A client may hold so many times the turns that are left to others. */
const SHARE = 3;

/**
 * The next to have a turn: the first in the queue whose client does not hold too many. The bound moves with what is
 * left (as in switches whose ports share a memory): one client alone gets three quarters of all turns, and the more
 * clients there are, the fewer each may hold, so that there are some left for one that comes later. What no client
 * waits for holds turns only until they are wanted.
 * @param max turns in all
 * @returns undefined where none of them may go; where all turns are held, one without a client has to yield first
 */
export function nextTurn<Waiting extends Standing>(
  max: number,
  holding: Iterable<Standing>,
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
