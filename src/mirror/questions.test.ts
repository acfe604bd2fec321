import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { digestOf } from '../oci/digest.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { UpstreamError } from '../upstream/error.ts';
import { NegativeCache, refusalKey, type Mark } from './negative-cache.ts';
import { Questions, type UpstreamQuestion } from './questions.ts';

const KEY = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
const DIGEST = digestOf('bytes');
const NAME = refusalKey('blob', KEY, DIGEST);
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

class World {
  readonly clock = new ManualClock();
  readonly negative = new NegativeCache(this.clock, 30_000);
  readonly questions = new Questions<string>(this.negative, this.clock);
  asked = 0;

  /** Returns a question with this answer. */
  question(
    answer: () => Promise<string>,
    more: Partial<UpstreamQuestion<string>> = {},
  ): UpstreamQuestion<string> {
    const ask = (): Promise<string> => {
      this.asked += 1;
      return answer();
    };
    return { name: NAME, about: { key: KEY, digest: DIGEST }, ask, ...more };
  }
}

const refused = (): Promise<string> => Promise.reject(ABSENT);

describe('a question', () => {
  it('is asked once for all callers that ask it at the same time', async () => {
    const world = new World();
    const answered = Promise.withResolvers<string>();
    const [first, second] = [1, 2].map(() => world.questions.ask(world.question(() => answered.promise)));
    answered.resolve('yes');
    expect(await Promise.all([first!.promise, second!.promise])).toEqual(['yes', 'yes']);
    expect([first!.collapsed, second!.collapsed, world.asked]).toEqual([false, true, 1]);
  });

  it('is asked alone for each caller that may give it up', async () => {
    const world = new World();
    const yes = world.question(() => Promise.resolve('yes'));
    await Promise.all([world.questions.askAlone(yes), world.questions.askAlone(yes)]);
    expect(world.asked).toBe(2);
  });

  it.each(['ask', 'askAlone'] as const)('that was refused is not asked again by %s', async (way) => {
    const world = new World();
    const again = async (): Promise<string> => {
      const boarding = world.questions[way](world.question(refused));
      return boarding instanceof Promise ? boarding : boarding.promise;
    };
    await expect(again()).rejects.toMatchObject({ wasAsked: true });
    await expect(again()).rejects.toMatchObject({ wasAsked: false });
    expect(world.asked).toBe(1);
  });

  it('that was refused is asked anew by a client that takes no answer of that age', async () => {
    const world = new World();
    await expect(world.questions.ask(world.question(refused)).promise).rejects.toBe(ABSENT);
    world.clock.advance(5_000);
    const anew = world.question(() => Promise.resolve('yes'), { maxAgeMs: 5_000 });
    expect(await world.questions.ask(anew).promise).toBe('yes');
  });

  it('that has failed is asked again', async () => {
    const world = new World();
    const failing = world.question(() => Promise.reject(AWAY));
    for (const _ of [1, 2]) await expect(world.questions.ask(failing).promise).rejects.toBe(AWAY);
    expect(world.asked).toBe(2);
  });

  it('whose refusal is not worth remembering is asked again', async () => {
    const world = new World();
    const isRemembered = (error: unknown): error is UpstreamError => error === AWAY;
    const question = world.question(refused, { isRemembered });
    for (const _ of [1, 2]) await expect(world.questions.ask(question).promise).rejects.toBe(ABSENT);
    expect(world.asked).toBe(2);
  });

  it('that is disproved while it is asked is asked again', async () => {
    const world = new World();
    const question = world.question(async () => {
      world.negative.disprove(KEY, DIGEST);
      return refused();
    });
    for (const _ of [1, 2]) await expect(world.questions.ask(question).promise).rejects.toBe(ABSENT);
    expect(world.asked).toBe(2);
  });

  it('reports its failure, with the mark of when it was asked, before the caller gets it', async () => {
    const world = new World();
    const told: [unknown, Mark | undefined][] = [];
    async function onFailed(error: unknown, mark: Mark | undefined): Promise<void> {
      await setImmediate();
      told.push([error, mark]);
    }
    const answer = world.questions.ask(world.question(refused, { onFailed })).promise;
    await expect(answer).rejects.toBe(ABSENT);
    told.push([0, undefined]);
    expect(told).toEqual([
      [ABSENT, world.negative.mark(KEY, DIGEST)],
      [0, undefined],
    ]);
  });
});
