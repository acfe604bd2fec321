import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { LarderEvent } from '../events.ts';
import { createDenialLog } from './denials.ts';

type Denied = Extract<LarderEvent, { kind: 'access-denied' }>;

const DENIED: Denied = {
  kind: 'access-denied',
  id: 'request-1',
  client: '192.0.2.1',
  user: 'user:bob',
  failure: 'denied',
  action: 'pull',
  upstream: 'ghcr.io',
  repository: 'acme/app',
};

function start(): { clock: ManualClock; tell: (event: Denied) => void; lines: () => readonly string[] } {
  const written: string[] = [];
  const stream = { write: (line: string) => void written.push(line) };
  const clock = new ManualClock();
  const tell = createDenialLog(pino({ level: 'trace', base: null, timestamp: false }, stream), clock);
  const lines = (): readonly string[] => written.splice(0);
  return { clock, tell, lines };
}

test('a refusal is a line with who, what and where', () => {
  const { tell, lines } = start();
  tell(DENIED);
  const { kind: _, ...fields } = DENIED;
  expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 40, ...fields, msg: 'access denied' },
  ]);
});

test('a request without credentials, with which each pull begins, is a line for debugging', () => {
  const { tell, lines } = start();
  tell({ ...DENIED, failure: 'no-credentials', user: undefined });
  expect(lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([{ level: 20 }]);
});

test('a client that asks again and again gets 20 lines a minute, the last of which says so; others get theirs', () => {
  const { clock, tell, lines } = start();
  for (let i = 0; i < 100; i += 1) tell(DENIED);
  const written = lines();
  expect(written).toHaveLength(20);
  expect(written.map((line) => line.includes('"isLast":true')).indexOf(true)).toBe(19);
  tell({ ...DENIED, client: '192.0.2.2' });
  expect(lines()).toHaveLength(1);
  clock.advance(60_000);
  tell(DENIED);
  expect(lines()).toHaveLength(1);
});

test('many clients together get a bounded number of lines a minute', () => {
  const { tell, lines } = start();
  for (let i = 0; i < 1_500; i += 1) tell({ ...DENIED, client: `192.0.2.${i}` });
  expect(lines()).toHaveLength(1_000);
});
