import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { UpstreamError } from '../error.ts';
import { AccountStanding } from './account-standing.ts';

const REFUSAL = new UpstreamError('docker.io', 'denied', 'account-refused', 'no', { status: 401 });

function start(): { clock: ManualClock; standing: AccountStanding; told: () => string[] } {
  const clock = new ManualClock();
  const events = createEvents();
  const seen: LarderEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const told = (): string[] =>
    seen.flatMap((event) => (event.kind === 'account-changed' ? [`${event.upstream} ${event.state}`] : []));
  return { clock, standing: new AccountStanding('docker.io', { clock, events }), told };
}

test('emits one event at each change', () => {
  const { standing, told } = start();
  standing.accepted(undefined);
  expect([standing.refusal, told()]).toEqual([undefined, []]);
  standing.refused(REFUSAL);
  standing.refused(REFUSAL);
  expect([standing.refusal, told()]).toEqual([
    'docker.io: answered 401 to the configured account',
    ['docker.io refused'],
  ]);
  standing.accepted(undefined);
  standing.accepted(undefined);
  expect([standing.refusal, told()]).toEqual([undefined, ['docker.io refused', 'docker.io accepted']]);
});

test('an accepted token says nothing if it is older than the refusal, and ends the refusal if it is younger', () => {
  const { clock, standing, told } = start();
  clock.advance(1_000);
  standing.refused(REFUSAL);
  standing.accepted(900);
  standing.accepted(1_000);
  expect(told()).toEqual(['docker.io refused']);
  standing.accepted(1_001);
  expect(told()).toEqual(['docker.io refused', 'docker.io accepted']);
});

test('a refusal without a status is an event, too', () => {
  const { standing } = start();
  standing.refused(new UpstreamError('docker.io', 'denied', 'account-refused', 'no'));
  expect(standing.refusal).toBe('docker.io: answered no to the configured account');
});

test('the event of a refusal has the error, and the event of an acceptance has none', () => {
  const events = createEvents();
  const seen: LarderEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const standing = new AccountStanding('docker.io', { clock: new ManualClock(), events });
  standing.refused(REFUSAL);
  standing.accepted(undefined);
  const changed = { kind: 'account-changed', upstream: 'docker.io' };
  expect(seen).toStrictEqual([
    { ...changed, state: 'refused', error: REFUSAL },
    { ...changed, state: 'accepted' },
  ]);
});
