import { expect, test } from 'vitest';
import { AnswerBody } from './answer-body.ts';

/** A body whose connection counts what it is told. */
function world() {
  const told = { pauses: 0, resumes: 0, given: 0, destroyed: 0 };
  const body = new AnswerBody({
    pause: () => (told.pauses += 1),
    resume: () => (told.resumes += 1),
    giveBack: (parts) => (told.given += parts.length),
    destroy: () => (told.destroyed += 1),
  });
  return { told, body };
}

test.each([
  ['of the usual size', 64 * 1024, 6],
  ['of one byte', 1, 2_000],
])('a consumer that is behind pauses the connection: parts %s', async (_, bytes, count) => {
  const { told, body } = world();
  for (let n = 0; n < count; n += 1) body.add(new Uint8Array(bytes));
  expect([told.pauses, told.resumes]).toEqual([1, 0]);
  expect(await body.next()).toHaveLength(count);
  expect([told.pauses, told.resumes]).toEqual([1, 1]);
});

test('a body that is over does nothing to its connection, which may carry another answer by now', async () => {
  const { told, body } = world();
  for (let n = 0; n < 6; n += 1) body.add(new Uint8Array(64 * 1024));
  body.end();
  await body.next();
  body.destroy();
  expect(told).toEqual({ pauses: 1, resumes: 0, given: 0, destroyed: 0 });
});
