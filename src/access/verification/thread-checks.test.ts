import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { AccessError } from '../access-error.ts';
import type { ExpectedJwt } from './slow-checks.ts';
import { ThreadChecks, type ThreadChecksOptions } from './thread-checks.ts';

/** `secret`, with the lowest cost that bcrypt has. */
const HASH = '$2y$04$XY/kQD92y3Q1QwajRxhC1OnvX.lXrhdtRtIA/lcqMtBRnrc1fvu.a';

const EXPECTED: ExpectedJwt = {
  keys: { keys: [] },
  issuer: 'i',
  audience: ['a'],
  algorithms: ['ES256'],
  now: Date.UTC(2026, 0, 1),
  leewayMs: 0,
};

/** A thread that ends, fails, or never answers, as it is told. */
const MORTAL = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ args: [password] }) => {
      if (password === 'die') process.exit(1);
      if (password === 'hold') return;
      parentPort.postMessage(password === 'throw' ? { error: 'no' } : { result: true });
    });
  `)}`,
);

describe('the checks in other threads', () => {
  let checks: ThreadChecks | undefined;
  let clock: ManualClock;

  function open(options: Partial<ThreadChecksOptions> = {}): ThreadChecks {
    clock = new ManualClock();
    checks = new ThreadChecks({ clock, ...options });
    return checks;
  }

  /** Checks a password, and tells when it has been checked. */
  function check(client: string, checked: string[] = []): Promise<string> {
    return (checks ?? open()).comparePassword('secret', HASH, client).then(
      () => (checked.push(client), 'checked'),
      (error: unknown) => (error instanceof AccessError ? error.failure : String(error)),
    );
  }

  afterEach(async () => {
    await checks?.close();
    checks = undefined;
    if (clock.pending > 0) throw new Error(clock.left.join('\n'));
  });

  it('compare a password with its hash', async () => {
    const opened = open();
    expect(await opened.comparePassword('secret', HASH, 'a')).toBe(true);
    expect(await opened.comparePassword('Secret', HASH, 'a')).toBe(false);
  });

  it('check a token', async () => {
    expect(await open().checkJwt('no.token.here', EXPECTED, 'a')).toMatchObject({ problem: 'invalid' });
  });

  it('run two at a time', async () => {
    const opened = open();
    const all = ['a', 'a', 'a', 'b', 'c'].map((client) => check(client));
    expect([opened.running, opened.waiting]).toEqual([2, 3]);
    await Promise.all(all);
    expect([opened.running, opened.waiting]).toEqual([0, 0]);
  });

  it('let the clients take turns', async () => {
    open({ threads: 1 });
    const checked: string[] = [];
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b', 'c'].map((client) => check(client, checked)));
    expect(checked.join('')).toBe('aabcaba');
  });

  describe('where one thread is held up', () => {
    let order: string[];

    /** Checks what the thread is told by a password or a token, and notes when it has been checked. */
    function begin(kind: 'password' | 'token', told: string): Promise<unknown> {
      const begun =
        kind === 'password'
          ? checks?.comparePassword(told, HASH, told)
          : checks?.checkJwt(told, EXPECTED, told);
      return (begun ?? Promise.reject(new Error('not open'))).then(
        () => order.push(told),
        () => undefined,
      );
    }

    beforeEach(() => {
      order = [];
      open({ thread: MORTAL });
    });

    it('take tokens before passwords in the first', async () => {
      const all = [begin('password', 'running')];
      void begin('password', 'hold');
      all.push(begin('password', 'p1'), begin('password', 'p2'), begin('token', 't'));
      await Promise.all(all);
      expect(order).toEqual(['running', 't', 'p1', 'p2']);
    });

    it('take passwords before tokens in the second', async () => {
      void begin('token', 'hold');
      await Promise.all([
        begin('token', 'running'),
        begin('token', 't1'),
        begin('token', 't2'),
        begin('password', 'p'),
      ]);
      expect(order).toEqual(['running', 'p', 't1', 't2']);
    });
  });

  it('refuse what a client asks beyond its part, and nothing of the others', async () => {
    open({ threads: 1, limits: { perClient: 2, total: 3 } });
    const clients = ['a', 'a', 'a', 'a', 'b', 'c', 'd'];
    const results = await Promise.all(clients.map((client) => check(client)));
    // The first runs, two wait, the fourth is too much, and the third gives its place to the last but one.
    expect(results).toEqual([
      'checked',
      'checked',
      'throttled',
      'throttled',
      'checked',
      'checked',
      'throttled',
    ]);
  });

  it('keep no process alive', async () => {
    // By a clock that never ends an idle thread, a process that the thread keeps would not end.
    const script = `
      const awake = setInterval(() => {}, 1000);
      import(${JSON.stringify(new URL('thread-checks.ts', import.meta.url))}).then(async ({ ThreadChecks }) => {
        const checks = new ThreadChecks({ clock: { after: () => () => {} } });
        console.log(await checks.comparePassword('secret', ${JSON.stringify(HASH)}, 'a'));
        clearInterval(awake);
      });
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 20_000 });
    expect(stdout).toBe('true\n');
    open();
  });

  it('end their threads after an idle while, and start new ones', async () => {
    open();
    expect(await check('a')).toBe('checked');
    expect(clock.pending).toBe(1);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    expect(await check('a')).toBe('checked');
  });

  it('lose the check that kills its thread, and go on with the others', async () => {
    const opened = open({ threads: 1, thread: MORTAL });
    const killing = opened.comparePassword('die', HASH, 'a');
    const next = check('a');
    await expect(killing).rejects.toMatchObject({ failure: 'unavailable' });
    expect(await next).toBe('checked');
  });

  it('fail all that wait where no thread can be started in place of a lost one', async () => {
    const thread = new URL(MORTAL);
    const opened = open({ threads: 1, thread });
    const killing = opened.comparePassword('die', HASH, 'a');
    const others = ['a', 'b', 'c'].map((client) => check(client));
    thread.href = 'https://no-thread.test/';
    await expect(killing).rejects.toMatchObject({ failure: 'unavailable' });
    expect(await Promise.all(others)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  it('fail the check that throws', async () => {
    open({ threads: 1, thread: MORTAL });
    await expect(checks?.comparePassword('throw', HASH, 'a')).rejects.toMatchObject({
      failure: 'unavailable',
      cause: new Error('no'),
    });
    expect(await check('a')).toBe('checked');
  });

  it('fail the waiting checks when they are closed, and all later ones', async () => {
    const opened = open();
    const all = ['a', 'a', 'a'].map((client) => check(client));
    await opened.close();
    expect(await Promise.all([...all, check('a')])).toEqual(Array(4).fill('unavailable'));
  });
});
