import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { ApiEvent } from '../contract/events.ts';
import { EventFeed } from './event-feed.ts';
import { HEARTBEAT, parseSse } from './sse.ts';
import type { Subscription } from './subscription.ts';

function job(id: number): ApiEvent {
  return {
    event: 'job',
    data: { id: String(id), kind: 'verify', state: 'running', startedAt: '2026-01-01T00:00:00Z' },
  };
}

describe('the feed', () => {
  let clock: ManualClock;
  let feed: EventFeed;

  beforeEach(() => {
    clock = new ManualClock();
    feed = new EventFeed({ clock, epoch: 'a' });
  });
  afterEach(() => {
    feed.close();
    if (clock.pending > 0) throw new Error(clock.left.join());
  });

  /** Ends the stream, and returns what the listener got: the ids of jobs, or the names of other events. */
  async function heard(listener: Subscription): Promise<readonly string[]> {
    listener.end();
    const names: string[] = [];
    for await (const { event, data } of parseSse(listener)) {
      names.push(event === 'job' ? (JSON.parse(data) as { id: string }).id : event);
    }
    return names;
  }

  async function texts(listener: Subscription): Promise<readonly string[]> {
    listener.end();
    const all: string[] = [];
    for await (const text of listener) all.push(text);
    return all;
  }

  it('tells a listener what happens from then on', async () => {
    feed.emit(job(1));
    const listener = feed.subscribe();
    feed.emit(job(2));
    feed.emit(job(3));
    expect(await heard(listener)).toEqual(['2', '3']);
  });

  it('tells a listener that comes back what it has missed', async () => {
    for (const id of [1, 2, 3]) feed.emit(job(id));
    expect(await heard(feed.subscribe('a-1'))).toEqual(['2', '3']);
    expect(await heard(feed.subscribe('a-3'))).toEqual([]);
    expect(await heard(feed.subscribe('a-0'))).toEqual(['1', '2', '3']);
  });

  it.each(['b-1', 'a-9', 'a', 'a-01', '-1', ''])(
    'tells a listener that comes back with %j that it has missed something',
    async (id) => {
      for (const each of [1, 2]) feed.emit(job(each));
      const listener = feed.subscribe(id);
      feed.emit(job(3));
      expect(await heard(listener)).toEqual(['reset', '3']);
    },
  );

  it('keeps a bounded number of events for those that come back', async () => {
    for (let id = 1; id <= 300; id += 1) feed.emit(job(id));
    expect(await heard(feed.subscribe('a-43'))).toEqual(['reset']);
    const missed = await heard(feed.subscribe('a-44'));
    expect([missed.length, missed[0], missed.at(-1)]).toEqual([256, '45', '300']);
  });

  it('gives a sign of life every 15 seconds', async () => {
    const listener = feed.subscribe();
    clock.advance(14_999);
    clock.advance(30_001);
    expect(await texts(listener)).toEqual([HEARTBEAT, HEARTBEAT, HEARTBEAT, HEARTBEAT]);
  });

  it('cuts a listener that does not take what it is told, and no other', async () => {
    const slow = feed.subscribe();
    const quick = feed.subscribe();
    const iterator = quick[Symbol.asyncIterator]();
    let isCut = false;
    void slow.ended.then(() => (isCut = true));
    for (let id = 1; id <= 256; id += 1) {
      feed.emit(job(id));
      await iterator.next();
    }
    expect(isCut).toBe(true);
    expect(await texts(slow)).toEqual([]);
    await iterator.next();
    feed.emit(job(257));
    expect((await iterator.next()).value).toContain('"id":"257"');
  });

  it('wakes a listener that waits, when something happens and when the stream ends', async () => {
    const iterator = feed.subscribe()[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    feed.emit(job(1));
    expect((await next).value).toContain('"id":"1"');
    const last = iterator.next();
    feed.close();
    expect((await last).done).toBe(true);
  });

  it('takes a bounded number of listeners', () => {
    const listeners = Array.from({ length: 64 }, () => feed.subscribe());
    expect(() => feed.subscribe()).toThrow('too many clients');
    listeners[0]?.end();
    feed.subscribe();
  });

  it('takes none when it is closed', () => {
    feed.close();
    expect(() => feed.subscribe()).toThrow('stopping');
  });
});
