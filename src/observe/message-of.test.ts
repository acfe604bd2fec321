import { expect, test } from 'vitest';
import { messageOf } from './message-of.ts';

function chain(...messages: readonly string[]): Error {
  const [message = '', ...causes] = messages;
  return new Error(message, causes.length === 0 ? {} : { cause: chain(...causes) });
}

test.each<[string, unknown, string]>([
  ['one', chain('no answer'), 'no answer'],
  ['with causes', chain('no answer', 'connect ECONNREFUSED'), 'no answer: connect ECONNREFUSED'],
  ['with causes that say the same again', chain('a: b: c', 'b: c', 'c', 'd'), 'a: b: c: d'],
  ['with a cause that says nothing, as an AggregateError does', chain('no answer', ''), 'no answer'],
  ['of five causes at most', chain('1', '2', '3', '4', '5', '6'), '1: 2: 3: 4: 5'],
  ['with a foreign cause', new Error('no answer', { cause: { secret: 1 } }), 'no answer'],
  ['without a message', new RangeError(''), 'RangeError'],
  ['that is a text', 'gone', 'gone'],
  ['that is nothing', undefined, 'undefined'],
])('an error %s', (_, error, text) => {
  expect(messageOf(error)).toBe(text);
});

test('causes that go in a circle end', () => {
  const first = new Error('first');
  const second = new Error('second', { cause: first });
  first.cause = second;
  expect(messageOf(first)).toBe('first: second');
});
