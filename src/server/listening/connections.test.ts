import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Connections } from './connections.ts';

const LIMITS = { connections: 6, connectionsPerClient: 2, reserve: 2 };

/** Opens connections `a1`, `a2`, `b1` …, each from the client that its letter names. */
function opened(connections: Connections<string>, ...names: readonly string[]): readonly string[] {
  return names.map((name) => {
    const { use, closing } = connections.open(name.slice(0, 1), name);
    return closing === undefined ? use : `${use} for ${closing}`;
  });
}

function busy(connections: Connections<string>, ...names: readonly string[]): void {
  for (const name of names) connections.begun(name);
}

describe('a new connection', () => {
  test('a client alone gets all connections but a share; then its next one takes the place of its oldest idle one', () => {
    const connections = new Connections<string>(LIMITS);
    expect(opened(connections, 'a1', 'a2', 'a3', 'a4', 'a5', 'a6')).toEqual([
      'all',
      'all',
      'all',
      'all',
      'all for a1',
      'all for a2',
    ]);
  });

  test('another client gets a free place at once, or takes one from the client that holds the most', () => {
    const connections = new Connections<string>(LIMITS);
    opened(connections, 'a1', 'a2', 'a3', 'a4');
    expect(opened(connections, 'b1', 'c1', 'b2', 'd1')).toEqual(['all', 'all', 'all for a1', 'all for a2']);
  });

  test('takes no place of a busy connection; of the idle ones, the last used is the last to go', () => {
    const connections = new Connections<string>({ ...LIMITS, connections: 3, connectionsPerClient: 3 });
    opened(connections, 'a1', 'a2', 'a3');
    busy(connections, 'a1', 'a2');
    connections.ended('a1');
    expect(opened(connections, 'b1', 'c1')).toEqual(['all for a3', 'all for a1']);
  });

  test('takes no place of a connection with a pipelined request left', () => {
    const connections = new Connections<string>({ ...LIMITS, connections: 1, connectionsPerClient: 1 });
    opened(connections, 'a1');
    busy(connections, 'a1', 'a1');
    connections.ended('a1');
    expect(opened(connections, 'b1')).toEqual(['health']);
    connections.ended('a1');
    expect(opened(connections, 'c1')).toEqual(['all for a1']);
  });

  test('gets a place in the reserve while all are busy; there the oldest goes, of the client with the most', () => {
    const connections = new Connections<string>({ ...LIMITS, connections: 1, connectionsPerClient: 1 });
    opened(connections, 'a1');
    busy(connections, 'a1');
    expect(opened(connections, 'a2', 'a3', 'a4', 'k1', 'a5', 'm1')).toEqual([
      'health',
      'health',
      'health for a2',
      'health for a3',
      'health for a4',
      'health for k1',
    ]);
    expect(connections.useOf('m1')).toBe('health');
    expect(connections.useOf('k1')).toBeUndefined();
  });

  test('takes no place of another client that holds as many', () => {
    const connections = new Connections<string>({ ...LIMITS, connections: 2, connectionsPerClient: 1 });
    opened(connections, 'a1', 'b1');
    busy(connections, 'b1');
    expect(opened(connections, 'b2')).toEqual(['health']);
  });

  test('gets the place of a closed connection, whether that is reported once or twice', () => {
    const connections = new Connections<string>({ ...LIMITS, connections: 1, connectionsPerClient: 1 });
    opened(connections, 'a1');
    busy(connections, 'a1');
    connections.closed('a1');
    connections.closed('a1');
    connections.ended('a1');
    expect([connections.size, ...opened(connections, 'b1')]).toEqual([0, 'all']);
  });
});

const CLIENTS = ['a', 'b', 'c', 'd'] as const;

interface Step {
  readonly client: (typeof CLIENTS)[number];
  readonly what: 'open' | 'begin' | 'end' | 'close';
  readonly which: number;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  client: fc.constantFrom(...CLIENTS),
  what: fc.constantFrom('open', 'begin', 'end', 'close'),
  which: fc.nat(20),
});

/** A simple model of the open connections, which only counts. */
class Model {
  readonly connections = new Connections<string>(LIMITS);
  readonly requests = new Map<string, number>();
  #opened = 0;

  held(client = ''): string[] {
    return [...this.requests.keys()].filter(
      (name) => name.startsWith(client) && this.connections.useOf(name) === 'all',
    );
  }

  /** Plays a step. @returns whether it was fair */
  play({ client, what, which }: Step): boolean {
    if (what === 'open') return this.#open(client);
    const mine = [...this.requests.keys()].filter((name) => name.startsWith(client));
    const name = mine[which % Math.max(1, mine.length)];
    const running = this.requests.get(name ?? '');
    if (name === undefined || running === undefined) return true;
    if (what === 'close') {
      this.connections.closed(name);
      this.requests.delete(name);
    } else if (what === 'begin') {
      this.connections.begun(name);
      this.requests.set(name, running + 1);
    } else if (running > 0) {
      this.connections.ended(name);
      this.requests.set(name, running - 1);
    }
    return true;
  }

  #open(client: string): boolean {
    const name = `${client}${(this.#opened += 1)}`;
    const idle = this.held().filter((each) => this.requests.get(each) === 0);
    const mine = this.held(client).length;
    const isHoarded = CLIENTS.some(
      (other) => this.held(other).length > mine && idle.some((each) => each.startsWith(other)),
    );
    const { use, closing } = this.connections.open(client, name);
    this.requests.set(name, 0);
    if (closing !== undefined) this.requests.delete(closing);
    const tookIdle = closing === undefined || use === 'health' || idle.includes(closing);
    return tookIdle && (use === 'all' || !isHoarded);
  }
}

test('there are never more connections than the limit; no client is refused for another one that holds more idle ones', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 200 }), (steps) => {
      const model = new Model();
      for (const step of steps) {
        const isFair = model.play(step);
        const held = model.held().length;
        const { size } = model.connections;
        expect({ isFair, size }).toEqual({ isFair: true, size: model.requests.size });
        expect(held).toBeLessThanOrEqual(LIMITS.connections);
        expect(size - held).toBeLessThanOrEqual(LIMITS.reserve);
      }
    }),
  );
});
