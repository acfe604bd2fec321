import { expect } from 'vitest';
import type { ReceivedAnswer } from '../support/http-get.ts';
import { cutAfter } from '../support/scripted-reply.ts';
import { drive } from '../support/settled.ts';
import { cachedOf, expectCachedServed, expectNothingWrongKept } from './cached.ts';
import type { Cell, Column } from './cell.ts';
import { BLOB_PATH, LAYER_DIGEST, questionOf, TAG_PATH, type Question } from './question.ts';
import type { Row } from './row.ts';
import { isRight, told } from './told.ts';
import { HALF, startWorld, type World } from './world.ts';

interface Played {
  readonly cell: Cell;
  /** The requests to upstream, for a developer who looks into a failed cell. */
  readonly asked: readonly string[];
}

/**
 * Plays one cell: makes the world, lets the fault strike, asks the question, and returns the result. Also asserts what
 * holds for every cell: no wrong byte is kept, nothing is left behind, cached content is served by digest whatever
 * upstream does, and once the fault is over the question gets the right answer.
 */
export async function play(row: Row, column: Column): Promise<Played> {
  await using world = await startWorld(row.world);
  const question = questionOf(column, world);
  const isWarm = column === 'stale' || row.isWarm === true;
  if (isWarm) await warm(world);
  const seen = await (column === 'follower' ? follow(world, row, question) : ask(world, row, question));
  await drive(world, fillsEnded(world));
  const asked = world.asked.slice(seen.askedBefore);
  const cell = {
    ...told(seen.answer, question, row),
    requests: asked.length,
    cached: await cachedOf(world, column),
    tookMs: seen.tookMs,
  };
  if (column === 'stale' && row.isWarm !== true) await expectCachedServed(world);
  await expectNothingWrongKept(world);
  const rightAfterMs = await timeToRight(world, question);
  return { cell: { ...cell, ...(rightAfterMs > 0 && { rightAfterMs }) }, asked };
}

interface Seen {
  readonly answer: ReceivedAnswer;
  readonly tookMs: number;
  /** Number of requests to upstream before the fault struck. */
  readonly askedBefore: number;
}

/** Pulls everything once, and then lets the tag's time to live pass. */
async function warm(world: World): Promise<void> {
  await world.mirror.get(TAG_PATH);
  await world.mirror.get(BLOB_PATH);
  await world.settled();
  world.clock.advance(5 * 60_000);
}

async function ask(world: World, row: Row, { path, asked, pausesAt }: Question): Promise<Seen> {
  world.fault({ kind: 'blob' }, world.pauseAfter(pausesAt ?? Infinity));
  await row.strike(world, 'start');
  await world.settled();
  const askedBefore = world.asked.length;
  const pending = world.mirror.get(path, asked);
  await world.settled();
  world.release();
  const { value: answer, tookMs } = await drive(world, pending);
  return { answer, tookMs, askedBefore };
}

/** Lets the fault strike when half of the blob is here and a second client has just joined. */
async function follow(world: World, row: Row, { path }: Question): Promise<Seen> {
  const { mirror } = world;
  const paused = world.pauseAfter(HALF - 1);
  const verbs = row.running ?? [cutAfter(HALF)];
  world.fault({ kind: row.carrier ?? 'blob', method: 'GET', times: 1 }, ...verbs, paused);
  const first = mirror.get(path);
  await paused.reached;
  await world.settled();
  const second = mirror.get(path);
  await world.settled();
  expect(mirror.fill(LAYER_DIGEST)).toMatchObject({ followers: 2, offset: HALF - 1 });
  const askedBefore = world.asked.length;
  await row.strike(world, 'half');
  await world.settled();
  if (row.isSilent !== true) world.release();
  const { value, tookMs } = await drive(world, Promise.all([first, second]));
  expect(value[0].complete, 'both clients fare alike').toBe(value[1].complete);
  return { answer: value[1], tookMs, askedBefore };
}

async function fillsEnded({ mirror }: World): Promise<void> {
  await Promise.all([...mirror.mirror.fills].map((fill) => fill.ended));
}

/** Times at which a client asks until it gets the right answer, in milliseconds from the end of the fault. */
const ASKED_AT = [0, 2_000, 5_000, 20_000, 30_000, 60_000, 120_000];

/** Returns the time from the end of the fault until the same question gets the right answer, in milliseconds. */
async function timeToRight(world: World, question: Question): Promise<number> {
  const { mirror, clock } = world;
  await world.heal();
  const healedAt = clock.monotonic();
  const { path, asked } = question;
  for (const askedAt of ASKED_AT) {
    clock.advance(Math.max(0, healedAt + askedAt - clock.monotonic()));
    await world.settled();
    const { value } = await drive(world, mirror.get(path, asked));
    if (isRight(value, question)) return askedAt;
    // Work in the background ends first: otherwise it would be late only because the test moves the clock.
    await world.settled();
  }
  throw new Error('the same question is not answered right, long after the fault is over');
}
