import { createSecureContext } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createEvents, type LarderEvent } from '../../events.ts';
import { createCertificateAuthority } from '../../../test/support/tls.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ByContext, systemContext, Trust } from './trust.ts';

const OLD = 'the certificates known at start';

/** A file that counts how often it was looked at and read. */
class TestFile {
  content: string | Error = OLD;
  edition: string | Error = '1';
  looks = 0;
  reads = 0;

  version(): Promise<string> {
    this.looks += 1;
    return settle(this.edition);
  }

  read(): Promise<string> {
    this.reads += 1;
    return settle(this.content);
  }

  write(content: string | Error): void {
    this.content = content;
    this.edition = `${Number(this.edition) + 1}`;
  }
}

function settle(value: string | Error): Promise<string> {
  return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
}

function world(file?: TestFile) {
  const clock = new ManualClock();
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const made: (string | undefined)[] = [];
  const trust = new Trust({
    upstream: 'registry.test',
    ca: OLD,
    caFile: file,
    clock,
    events,
    makeContext: (ca) => {
      if (ca === 'no certificate') throw new Error('not PEM');
      made.push(ca);
      return createSecureContext({});
    },
  });
  return { clock, told, made, trust };
}

describe('Trust', () => {
  test('makes one context for all connections', async () => {
    const { made, trust } = world();
    const first = await trust.context();
    const others = await Promise.all([trust.context(), trust.context()]);
    expect(others).toEqual([first, first]);
    expect(others[0]).toBe(first);
    expect(made).toEqual([OLD]);
  });

  test('makes no context before it is needed', () => {
    expect(world().made).toEqual([]);
  });

  test('looks at the file at most every five seconds, and reads it when it has changed', async () => {
    const file = new TestFile();
    const { clock, made, trust } = world(file);
    const first = await trust.context();
    clock.advance(4_999);
    await trust.context();
    expect([file.looks, file.reads]).toEqual([1, 1]);
    clock.advance(1);
    expect(await trust.context()).toBe(first);
    expect([file.looks, file.reads]).toEqual([2, 1]);
    expect(made).toEqual([OLD]);
  });

  test('trusts the certificates of a changed file', async () => {
    const file = new TestFile();
    const { clock, told, made, trust } = world(file);
    const first = await trust.context();
    file.write('renewed');
    expect(await trust.context()).toBe(first);
    clock.advance(5_000);
    const [one, other] = await Promise.all([trust.context(), trust.context()]);
    expect(one).not.toBe(first);
    expect(other).toBe(one);
    expect(made).toEqual([OLD, 'renewed']);
    expect(told).toEqual([{ kind: 'authority-changed', upstream: 'registry.test', state: 'renewed' }]);
  });

  test('makes no new context for a file that was rewritten with the same text', async () => {
    const file = new TestFile();
    const { clock, told, made, trust } = world(file);
    await trust.context();
    file.write(OLD);
    clock.advance(5_000);
    await trust.context();
    expect([made, told]).toEqual([[OLD], []]);
  });

  test.each<[string, (file: TestFile) => void]>([
    ['is gone', (file) => (file.edition = new Error('ENOENT'))],
    ['cannot be read', (file) => file.write(new Error('EACCES'))],
    ['holds no certificate', (file) => file.write('no certificate')],
  ])('keeps its context while the file %s, and reports that once', async (_, spoil) => {
    const file = new TestFile();
    const { clock, told, made, trust } = world(file);
    const first = await trust.context();
    spoil(file);
    for (let i = 0; i < 3; i += 1) {
      clock.advance(5_000);
      expect(await trust.context()).toBe(first);
    }
    expect(told).toMatchObject([{ kind: 'authority-changed', state: 'unusable' }]);
    file.edition = '7';
    file.content = 'renewed';
    clock.advance(5_000);
    expect(await trust.context()).not.toBe(first);
    expect(made).toEqual([OLD, 'renewed']);
    expect(told).toHaveLength(2);
  });
});

test('ByContext makes a new value for another context', async () => {
  const contexts = [
    systemContext(undefined),
    systemContext(createCertificateAuthority().certificate),
  ] as const;
  const made = new ByContext((context) => ({ context }));
  const first = made.get(contexts[0]);
  expect(made.get(contexts[0])).toBe(first);
  expect(made.get(contexts[1])).toEqual({ context: contexts[1] });
});
