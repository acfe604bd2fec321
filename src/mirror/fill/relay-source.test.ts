import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Relay, type PieceSource } from './relay.ts';
import { RelaySource } from './relay-source.ts';

const MiB = 1024 * 1024;

/** A reader's own transfer, which gives one piece. */
class OwnSource implements PieceSource {
  readonly size = undefined;
  readonly offset: number;
  isDestroyed = false;

  constructor(offset: number) {
    this.offset = offset;
  }

  async *pieces(): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    yield [Buffer.from('own')];
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

function start() {
  const relay = new Relay(0, new ManualClock());
  let left = 0;
  const source = new RelaySource({
    seat: relay.join(0)!,
    size: 7,
    open: () => Promise.reject(new Error('it is not behind')),
    onEnd: () => (left += 1),
  });
  return { relay, source, left: () => left };
}

/** Returns a reader whose next bytes the relay has no longer, and counts how often it left. */
function readerLeftBehind(opening: Promise<OwnSource>) {
  const left = { relay: 0, fill: 0 };
  const asked: number[] = [];
  const source = new RelaySource({
    seat: { offset: 3, next: () => Promise.resolve('lost'), leave: () => (left.relay += 1) },
    size: undefined,
    open: (position) => {
      asked.push(position);
      return opening;
    },
    onEnd: () => (left.fill += 1),
  });
  return { source, left, asked };
}

async function textOf(source: PieceSource): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const some of source.pieces()) pieces.push(...some);
  return Buffer.concat(pieces).toString();
}

test('a reader reads a relay to its end', async () => {
  const { relay, source, left } = start();
  const pushed = relay.push([Buffer.from('a layer')]);
  relay.end();
  expect([source.size, source.offset]).toEqual([7, 0]);
  expect(await textOf(source)).toBe('a layer');
  await pushed;
  expect([source.offset, left()]).toEqual([7, 0]);
  source.destroy();
  source.destroy();
  expect(left()).toBe(1);
});

test('a reader that is destroyed is waited for no more', async () => {
  const { relay, source } = start();
  const eager = relay.join(0)!;
  const pushed = relay.push([Buffer.alloc(5 * MiB)]);
  await eager.next();
  void eager.next();
  let isOver = false;
  const over = pushed.then(() => (isOver = true));
  await setImmediate();
  expect(isOver).toBe(false);
  source.destroy();
  await over;
  relay.end();
});

test('a reader that has fallen behind goes on by itself from where it is, and leaves the relay', async () => {
  const own = new OwnSource(3);
  const { source, left, asked } = readerLeftBehind(Promise.resolve(own));
  expect(source.offset).toBe(3);
  expect(await textOf(source)).toBe('own');
  expect([asked, own.isDestroyed, left]).toEqual([[3], false, { relay: 1, fill: 1 }]);
  source.destroy();
  expect([own.isDestroyed, left]).toEqual([true, { relay: 1, fill: 1 }]);
});

test('the offset of a reader that goes on by itself is that of its own transfer', async () => {
  const { source } = readerLeftBehind(Promise.resolve(new OwnSource(5)));
  await source.pieces().next();
  expect(source.offset).toBe(5);
});

test('a reader that is destroyed while its own transfer begins leaves no transfer behind', async () => {
  const opening = Promise.withResolvers<OwnSource>();
  const own = new OwnSource(3);
  const { source } = readerLeftBehind(opening.promise);
  const reading = source.pieces().next();
  await setImmediate();
  source.destroy();
  opening.resolve(own);
  await reading;
  expect(own.isDestroyed).toBe(true);
});
