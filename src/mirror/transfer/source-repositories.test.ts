import { expect, test } from 'vitest';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { SourceRepositories } from './source-repositories.ts';

const { upstream } = new StubUpstream();
const [A, B, C] = ['acme/a', 'acme/b', 'acme/c'].map((name) => targetOf(upstream, name));

test('places are asked in turn, beginning with the one that came last', () => {
  const places = new SourceRepositories(A!);
  for (const target of [B!, C!, targetOf(upstream, 'acme/b')]) places.add(target);
  const seen = [];
  for (let turn = 0; turn < 4; turn += 1) {
    seen.push([places.current, places.next, places.isAtFirst]);
    places.goOn();
  }
  expect([places.count, seen]).toEqual([
    3,
    [
      [A, C, true],
      [C, B, false],
      [B, A, false],
      [A, C, true],
    ],
  ]);
});

test('a dropped place is left out, and no other one; the last place cannot be dropped', () => {
  const places = new SourceRepositories(A!);
  for (const target of [B!, C!]) places.add(target);
  places.goOn();
  expect([places.drop(), places.count, places.current]).toEqual([true, 2, B]);
  expect([places.drop(), places.count, places.current]).toEqual([true, 1, A]);
  expect([places.drop(), places.count, places.current, places.next]).toEqual([false, 1, A, A]);
});
