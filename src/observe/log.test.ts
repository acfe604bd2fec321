import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent, type ServedRequest } from '../events.ts';
import { digestOf } from '../oci/digest.ts';
import { createLogListener } from './log.ts';
import { createLog } from './logger.ts';

type Line = Readonly<Record<string, unknown>>;

/** Returns the log after the events, as the program writes it: one object per line, without its time. */
function logged(...events: readonly LarderEvent[]): readonly Line[] {
  const stream = new PassThrough();
  const log = createLog({ level: 'trace', format: 'json' }, false, stream);
  const listener = createLogListener(log, new ManualClock());
  for (const event of events) listener(event);
  const text = (stream.read() as Buffer | null)?.toString() ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { time: _, ...rest } = JSON.parse(line) as Line;
      return rest;
    });
}

const DIGEST = digestOf('x');
const OTHER = digestOf('y');
const FAILURE = new Error('no answer', { cause: new Error('connect ECONNREFUSED') });
const TOLD = 'no answer: connect ECONNREFUSED';
const LEVEL = { debug: 20, info: 30, warn: 40, error: 50 } as const;

const REQUEST: ServedRequest = {
  id: 'request-1',
  client: '127.0.0.1',
  userAgent: 'docker/27',
  method: 'GET',
  url: '/v2/debian/manifests/12?ns=docker.io',
  requestKind: 'manifest',
  upstream: 'docker.io',
  repository: 'library/debian',
  reference: '12',
  outcome: 'hit',
  status: 200,
  bytes: 1234,
  complete: true,
  firstByteMs: 1.5,
  durationMs: 2.5,
};

function served(change: Partial<ServedRequest> = {}): LarderEvent {
  return { kind: 'request-served', request: { ...REQUEST, ...change } };
}

describe('the access log', () => {
  test('is one line per request, with all that is known of it', () => {
    expect(logged(served())).toEqual([{ level: LEVEL.info, msg: 'request', ...REQUEST }]);
  });

  test.each<[string, Partial<ServedRequest>, keyof typeof LEVEL]>([
    ['an answer', {}, 'info'],
    ['an error of the client', { status: 404, outcome: 'error', error: FAILURE }, 'info'],
    ['a client that left', { complete: false }, 'info'],
    ['an error of ours or of upstream', { status: 502, outcome: 'error', error: FAILURE }, 'warn'],
    ['an answer that had to be cut', { complete: false, error: FAILURE }, 'warn'],
    ['a ping, which tools send all the time', { requestKind: 'ping' }, 'debug'],
    ['a probe or a scrape', { requestKind: 'other' }, 'debug'],
    ['a probe that fails', { requestKind: 'other', status: 503 }, 'warn'],
  ])('%s', (_, change, level) => {
    expect(logged(served(change))).toMatchObject([{ level: LEVEL[level], msg: 'request' }]);
  });

  test('an error is a line of text with its causes, without its stack and its properties', () => {
    const error = Object.assign(new Error('no answer', { cause: FAILURE }), { token: 'hunter2' });
    const [line] = logged(served({ status: 502, error }));
    expect(line?.['error']).toBe(TOLD);
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(JSON.stringify(line)).not.toContain('log.test.ts');
  });
});

const BLOB = { upstream: 'docker.io', digest: DIGEST } as const;
const ENDED = { kind: 'fill-ended', ...BLOB, bytes: 7 } as const;
const ASKED = { upstream: 'docker.io', method: 'HEAD', target: 'manifest', durationMs: 3 } as const;
const PASSED_OVER = { pinned: 0, held: 0, steps: {} } as const;
const LOGIN = {
  kind: 'login-failed',
  client: '192.0.2.1',
  form: 'password',
  account: '"alice"',
  untold: 3,
} as const;

const SWEPT = {
  kind: 'eviction-ended',
  blobs: 3,
  bytes: 7,
  durationMs: 1,
  missing: 0,
  ...PASSED_OVER,
} as const;
const PLACE = { upstream: 'docker.io', repository: 'library/debian' } as const;

describe('the events that concern an operator', () => {
  test.each<[keyof typeof LEVEL, string, LarderEvent, Line]>([
    [
      'debug',
      'an upstream request',
      { kind: 'upstream-request', result: 'ok', status: 200, ...ASKED },
      ASKED,
    ],
    ['debug', 'a fill starts', { kind: 'fill-started', ...BLOB }, BLOB],
    [
      'warn',
      'a fill is taken up again',
      { kind: 'fill-resumed', ...BLOB, offset: 9 },
      { ...BLOB, offset: 9 },
    ],
    ['debug', 'a fill is stored', { ...ENDED, outcome: 'stored' }, { outcome: 'stored', bytes: 7 }],
    [
      'debug',
      'a fill is given up',
      { ...ENDED, outcome: 'abandoned', error: FAILURE },
      { outcome: 'abandoned', error: TOLD },
    ],
    [
      'warn',
      'a fill fails',
      { ...ENDED, outcome: 'failed', error: FAILURE },
      { outcome: 'failed', error: TOLD },
    ],
    [
      'error',
      'wrong bytes',
      { kind: 'verification-failed', ...BLOB, error: FAILURE },
      { ...BLOB, error: TOLD },
    ],
    [
      'info',
      'a tag moves',
      { kind: 'tag-moved', ...PLACE, tag: '12', from: DIGEST, to: OTHER },
      { tag: '12', from: DIGEST, to: OTHER },
    ],
    [
      'warn',
      'a tag is served stale',
      { kind: 'stale-served', ...PLACE, reference: '12', error: FAILURE },
      { ...PLACE, reference: '12', error: TOLD },
    ],
    [
      'error',
      'the store fails',
      { kind: 'store-failed', operation: 'open a blob', error: FAILURE },
      { operation: 'open a blob', error: TOLD },
    ],
    [
      'error',
      'the server has a bug',
      { kind: 'server-failed', operation: 'answer a request', error: FAILURE },
      { operation: 'answer a request', error: TOLD },
    ],
    [
      'warn',
      'an upstream is left alone',
      { kind: 'breaker-changed', upstream: 'docker.io', state: 'open', error: FAILURE },
      { upstream: 'docker.io', error: TOLD },
    ],
    [
      'debug',
      'an upstream is tried',
      { kind: 'breaker-changed', upstream: 'docker.io', state: 'half-open' },
      { upstream: 'docker.io' },
    ],
    [
      'info',
      'an upstream is back',
      { kind: 'breaker-changed', upstream: 'docker.io', state: 'closed' },
      { upstream: 'docker.io' },
    ],
    [
      'warn',
      'an account is refused',
      { kind: 'account-changed', upstream: 'docker.io', state: 'refused', error: FAILURE },
      { upstream: 'docker.io', state: 'refused', error: TOLD },
    ],
    [
      'info',
      'an account is taken again',
      { kind: 'account-changed', upstream: 'docker.io', state: 'accepted' },
      { upstream: 'docker.io' },
    ],
    [
      'warn',
      'the certificates of an authority cannot be used',
      { kind: 'authority-changed', upstream: 'docker.io', state: 'unusable', error: FAILURE },
      { upstream: 'docker.io', state: 'unusable', error: TOLD },
    ],
    [
      'info',
      'an authority has been renewed',
      { kind: 'authority-changed', upstream: 'docker.io', state: 'renewed' },
      { upstream: 'docker.io', state: 'renewed' },
    ],
    [
      'warn',
      "an issuer's keys cannot be fetched",
      { kind: 'issuer-changed', issuer: 'github', state: 'failing', error: FAILURE },
      { issuer: 'github', state: 'failing', error: TOLD },
    ],
    [
      'info',
      "an issuer's keys can be fetched again",
      { kind: 'issuer-changed', issuer: 'github', state: 'ok' },
      { issuer: 'github', state: 'ok' },
    ],
    [
      'warn',
      'a failed login',
      { ...LOGIN, failure: 'wrong-credentials', error: FAILURE },
      { client: '192.0.2.1', form: 'password', account: '"alice"', untold: 3, error: TOLD },
    ],
    [
      'error',
      'a login that cannot be checked',
      { ...LOGIN, failure: 'unavailable', error: FAILURE },
      { failure: 'unavailable', error: TOLD },
    ],
    [
      'info',
      'a file of users that has changed',
      { kind: 'access-changed', source: 'users', state: 'changed', added: ['eve'], removed: [], altered: [] },
      { source: 'users', state: 'changed', added: ['eve'] },
    ],
    [
      'error',
      'a file of tokens that cannot be used',
      {
        kind: 'access-changed',
        source: 'tokens',
        state: 'unusable',
        added: [],
        removed: [],
        altered: [],
        error: FAILURE,
      },
      { source: 'tokens', state: 'unusable', error: TOLD },
    ],
    [
      'error',
      'the files of tls cannot be used',
      { kind: 'certificate-changed', state: 'unusable', error: FAILURE },
      { state: 'unusable', error: TOLD },
    ],
    ['info', 'the certificate is renewed', { kind: 'certificate-changed', state: 'renewed' }, {}],
    ['info', 'a sweep', SWEPT, { blobs: 3, bytes: 7 }],
    ['warn', 'a sweep that frees too little', { ...SWEPT, missing: 5 }, { missing: 5 }],
    ['warn', 'a sweep that fails', { ...SWEPT, error: FAILURE }, { error: TOLD }],
    ['error', 'the disk fails', { kind: 'disk-changed', state: 'failing', error: FAILURE }, { error: TOLD }],
    ['info', 'the disk is back', { kind: 'disk-changed', state: 'ok' }, {}],
    [
      'error',
      'stored bytes are wrong',
      { kind: 'blob-quarantined', digest: DIGEST, error: FAILURE },
      { digest: DIGEST, error: TOLD },
    ],
    [
      'error',
      'the index is damaged',
      { kind: 'index-replaced', setAside: '/cache/index.db.1', error: FAILURE },
      { setAside: '/cache/index.db.1', error: TOLD },
    ],
    [
      'error',
      'the keys of tokens are damaged',
      { kind: 'keys-replaced', setAside: '/cache/keys.json.damaged', error: FAILURE },
      { setAside: '/cache/keys.json.damaged', error: TOLD },
    ],
    [
      'info',
      'the index begins to be upgraded',
      { kind: 'index-upgrade-begun', from: 4, to: 7 },
      { from: 4, to: 7 },
    ],
    ['info', 'the index is upgraded', { kind: 'index-upgraded', from: 4, to: 7 }, { from: 4, to: 7 }],
    [
      'info',
      'maintenance ends',
      { kind: 'maintenance-ended', task: 'verify', durationMs: 12.3, stats: { wrong: 1 } },
      { task: 'verify', durationMs: 12, wrong: 1 },
    ],
    [
      'error',
      'maintenance fails',
      { kind: 'maintenance-failed', task: 'verify', error: FAILURE },
      { task: 'verify', error: TOLD },
    ],
  ])('%s: %s', (level, _, event, fields) => {
    const [line, ...more] = logged(event);
    expect(more).toEqual([]);
    expect(line).toMatchObject({ level: LEVEL[level], ...fields });
    expect(line?.['msg']).toMatch(/\w/);
    expect(line).not.toHaveProperty('kind');
  });

  test.each<LarderEvent>([
    { kind: 'upstream-bytes', upstream: 'docker.io', bytes: 7 },
    { kind: 'rate-limit', upstream: 'docker.io', limit: 100, remaining: 99 },
    { kind: 'evicted', blobs: 1, bytes: 7 },
  ])('$kind, of which there are many, is no line', (event) => {
    expect(logged(event)).toEqual([]);
  });

  test('while the disk is known to fail, each failure of it is no news', () => {
    const failed: LarderEvent = { kind: 'store-failed', operation: 'open a blob', error: FAILURE };
    const lines = logged(
      { kind: 'disk-changed', state: 'failing', error: FAILURE },
      failed,
      { kind: 'disk-changed', state: 'ok' },
      failed,
    );
    expect(lines.map(({ level }) => level)).toEqual([LEVEL.error, LEVEL.debug, LEVEL.info, LEVEL.error]);
  });
});

describe('the events', () => {
  test('a listener that throws disturbs neither the others nor the emitter', () => {
    const events = createEvents();
    const heard: string[] = [];
    events.subscribe(() => heard.push('first'));
    events.subscribe(() => {
      throw new Error('a bug');
    });
    events.subscribe(() => heard.push('last'));
    events.emit(served());
    events.emit(served());
    expect(heard).toEqual(['first', 'last', 'first', 'last']);
  });

  test('a listener that has unsubscribed gets no more events', () => {
    const events = createEvents();
    const heard: LarderEvent[] = [];
    const unsubscribe = events.subscribe((event) => heard.push(event));
    unsubscribe();
    events.emit(served());
    expect(heard).toEqual([]);
  });
});
