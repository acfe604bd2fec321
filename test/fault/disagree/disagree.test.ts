/**
 * Tests against a registry whose answers disagree. Each answer (to HEAD or GET, about a tag, a digest or a blob, or at
 * the token endpoint) may come from the registry itself or from something in its place. In every combination, Larder
 * serves what is cached, does not serve what is denied, and remembers nothing that the registry has not said.
 */
import * as fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  ANSWER_NAMES,
  QUESTIONS,
  type AnswerTable,
  type Question,
} from '../../support/disagreeing-registry.ts';
import { expectNothingWrongKept } from '../cached.ts';
import { BLOB_STATES } from './blob-model.ts';
import { DIGEST_STATES } from './digest-model.ts';
import { LIST_STATES } from './list-model.ts';
import { play, type Asking } from './play.ts';
import { startStage } from './scene.ts';
import { TAG_STATES } from './tag-model.ts';
import { METHODS } from './way.ts';

describe('whatever HEAD and GET of a tag say', () => {
  test.each(ANSWER_NAMES)('HEAD: %s', async (head) => {
    await using stage = await startStage();
    for (const get of ANSWER_NAMES) {
      for (const state of ['nothing', 'cached, stale'] as const) {
        await play(stage, { what: 'tag', state, method: 'GET' }, { 'HEAD tag': head, 'GET tag': get });
      }
    }
    await expectNothingWrongKept(stage);
  });
});

const RUNS = 200;

const method = fc.constantFrom(...METHODS);
const asking: fc.Arbitrary<Asking> = fc.oneof(
  fc.record({ what: fc.constant('tag'), state: fc.constantFrom(...TAG_STATES), method }),
  fc.record({ what: fc.constant('digest'), state: fc.constantFrom(...DIGEST_STATES), method }),
  fc.record({ what: fc.constant('blob'), state: fc.constantFrom(...BLOB_STATES), method }),
  fc.record({
    what: fc.constantFrom('tags', 'referrers'),
    state: fc.constantFrom(...LIST_STATES),
    method: fc.constant('GET'),
  }),
);

/** Half of the answers are right: if all were wrong, Larder would never ask most of the questions. */
const answer = fc.oneof(fc.constant('right'), fc.constantFrom(...ANSWER_NAMES));
const questions = Object.keys(QUESTIONS) as Question[];
const table = fc.record(
  Object.fromEntries(questions.map((question) => [question, answer])),
) as fc.Arbitrary<AnswerTable>;

test('whatever it says to all questions', async () => {
  await using closed = await startStage();
  await using open = await startStage({ isOpen: true });
  await fc.assert(
    fc.asyncProperty(asking, table, (asked, answers) =>
      play(asked.state === 'claimed, open' ? open : closed, asked, answers),
    ),
    { numRuns: Number(process.env['LARDER_FUZZ_RUNS'] ?? RUNS) },
  );
  for (const stage of [closed, open]) await expectNothingWrongKept(stage);
});
