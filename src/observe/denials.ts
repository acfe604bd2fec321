import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { LarderEvent } from '../events.ts';

type Denied = Extract<LarderEvent, { kind: 'access-denied' }>;

/** Lines that one client may cause in a minute, and the most clients whose lines are counted. */
const LINES_A_MINUTE = 20;
const MAX_CLIENTS = 1_000;
const MINUTE_MS = 60_000;

/**
 * Makes the writer of refusals. A client that asks again and again, such as a node whose pods cannot pull, or an
 * attacker, fills no disk: after some lines its others wait for the next minute. All of them are counted in the metrics.
 * A request without credentials is no news: the clients of a closed registry begin every pull with one.
 */
export function createDenialLog(logger: Logger, clock: Pick<Clock, 'monotonic'>): (event: Denied) => void {
  let minute = -1;
  const lines = new Map<string, number>();
  return (event) => {
    const { kind: _, ...denied } = event;
    if (denied.failure === 'no-credentials') return logger.debug(denied, 'access denied');
    const present = Math.floor(clock.monotonic() / MINUTE_MS);
    if (present !== minute) lines.clear();
    minute = present;
    const count = (lines.get(denied.client) ?? 0) + 1;
    if (count > LINES_A_MINUTE || (count === 1 && lines.size >= MAX_CLIENTS)) return;
    lines.set(denied.client, count);
    const isLast = count === LINES_A_MINUTE;
    logger.warn(isLast ? { ...denied, isLast } : denied, 'access denied');
  };
}
