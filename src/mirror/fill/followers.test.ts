import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { FillClients } from '../fill-clients.ts';
import { Followers } from './followers.ts';

class World {
  readonly clock = new ManualClock();
  readonly audience = new FillClients();
  deserted = 0;
  readonly followers = new Followers(this.audience, this.clock, () => (this.deserted += 1));

  /** Returns the number of calls within a time. */
  desertedWithin(ms: number): number {
    const before = this.deserted;
    this.clock.advance(ms);
    return this.deserted - before;
  }
}

describe('the followers of a fill', () => {
  it('are counted while they are there', () => {
    const { followers, audience } = new World();
    const leave = followers.attend('a');
    followers.attend('b');
    expect([followers.count, audience.client]).toEqual([2, 'a']);
    leave();
    expect([followers.count, audience.client]).toEqual([1, 'b']);
  });

  it('are waited for when the last has left, for as long as a client may need to come back', () => {
    const world = new World();
    const [a, b] = [world.followers.attend('a'), world.followers.attend('b')];
    a();
    expect(world.desertedWithin(60_000)).toBe(0);
    b();
    expect([world.desertedWithin(9999), world.desertedWithin(1)]).toEqual([0, 1]);
  });

  it('are waited for before the first has come', () => {
    const world = new World();
    world.followers.wait();
    expect([world.desertedWithin(9999), world.desertedWithin(1)]).toEqual([0, 1]);
  });

  it('are not waited for once one has come back', () => {
    const world = new World();
    world.followers.attend('a')();
    world.followers.attend('a');
    expect([world.desertedWithin(60_000), world.clock.pending]).toEqual([0, 0]);
  });

  it('are waited for anew each time, and not twice', () => {
    const world = new World();
    world.followers.attend('a')();
    world.clock.advance(6000);
    world.followers.attend('a')();
    expect([world.desertedWithin(9999), world.desertedWithin(60_000)]).toEqual([0, 1]);
    world.followers.wait();
    world.followers.wait();
    expect(world.clock.pending).toBe(1);
  });

  it('are waited for longer once one has asked for a part', () => {
    const world = new World();
    world.followers.wait();
    world.followers.readInParts();
    expect([world.desertedWithin(59_999), world.desertedWithin(1)]).toEqual([0, 1]);
  });
});

describe('followers that are waited for no more', () => {
  it('desert the fill at once if there are none', () => {
    const world = new World();
    world.followers.waitNoMore();
    expect(world.deserted).toBe(1);
  });

  it('desert it when the last has left', () => {
    const world = new World();
    const [a, b] = [world.followers.attend('a'), world.followers.attend('b')];
    world.followers.waitNoMore();
    a();
    expect(world.deserted).toBe(0);
    b();
    expect(world.deserted).toBe(1);
  });

  it('do not desert a fill that has ended', () => {
    const world = new World();
    const leave = world.followers.attend('a');
    world.followers.waitNoMore();
    world.followers.end();
    leave();
    world.followers.waitNoMore();
    expect([world.deserted, world.clock.pending]).toEqual([0, 0]);
  });
});

it('the end of a fill ends the wait for followers', () => {
  const world = new World();
  world.followers.wait();
  world.followers.end();
  expect([world.desertedWithin(60_000), world.clock.pending]).toEqual([0, 0]);
});
