import { truncate } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { followJob, runJob } from '../../../src/api/client/run-job.ts';
import type { ClientRequest } from '../../../src/api/client/transport.ts';
import { EVENTS } from '../../../src/api/contract/events.ts';
import { JOB_KINDS } from '../../../src/api/contract/job-kinds.ts';
import type { Job } from '../../../src/api/contract/jobs.ts';
import { ProblemDocument, PROBLEMS, type ProblemName } from '../../../src/api/contract/problem.ts';
import { BASE, ROUTES, type ApiRoute, type RouteName } from '../../../src/api/contract/routes.ts';
import { parseSse } from '../../../src/api/events/sse.ts';
import { apiWorld, DOORS, readBytes, readJson, type ApiWorld } from '../../support/api-doors.ts';

const APP = 'registry.test/acme/app';

/** Makes a schema that takes no field which it does not name: what the server sends must all be in the contract. */
function strict(schema: z.ZodType): z.ZodType {
  // Such as a document whose own specification says what it holds.
  if (schema instanceof z.ZodObject && schema.def.catchall === undefined) {
    const shape = Object.entries(schema.shape);
    return z.strictObject(Object.fromEntries(shape.map(([name, of]) => [name, strict(of)])));
  }
  if (schema instanceof z.ZodArray) return z.array(strict(schema.element as z.ZodType));
  if (schema instanceof z.ZodOptional) return strict(schema.unwrap() as z.ZodType).optional();
  return schema;
}

describe.each(DOORS)('by %s', (name) => {
  let world: ApiWorld;

  beforeAll(async () => {
    world = await apiWorld({ marks: { maxSize: 5_000_000 } });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const call = async (request: ClientRequest): Promise<{ status: number; value: unknown }> => {
    const answer = await world.doors[name].transport(request);
    return { status: answer.status, value: await readJson(answer) };
  };

  /** A request of each route that it answers with content. */
  async function requests(): Promise<Readonly<Record<RouteName, Partial<ClientRequest>>>> {
    const { client } = world.doors[name];
    const upload = await client.call('openUpload', { body: { size: 9, fingerprint: 'b'.repeat(64) } });
    const reference = JSON.stringify({ reference: `${APP}:1` });
    const { id } = await client.call('startJob', { body: { kind: 'verify', request: {} } });
    await followJob(client, id, () => {});
    return {
      stats: {},
      repositories: { path: '/repositories?limit=1' },
      tags: { path: `/tags?repository=${APP}` },
      pin: { body: reference },
      pins: {},
      unpin: { body: reference },
      jobs: { path: '/jobs?limit=1' },
      startJob: { body: JSON.stringify({ kind: 'remove', request: { references: ['acme/none'] } }) },
      job: { path: `/jobs/${id}` },
      cancelJob: { path: `/jobs/${id}/cancel` },
      openUpload: { body: JSON.stringify({ size: 10, fingerprint: 'a'.repeat(64) }) },
      upload: { path: `/uploads/${upload.id}` },
      writeUpload: { path: `/uploads/${upload.id}?offset=0`, body: Buffer.from('12345') },
      abortUpload: { path: `/uploads/${upload.id}` },
      bundle: {},
      events: {},
      openapi: {},
    };
  }

  test('each route answers what the contract says, and nothing besides', async () => {
    const asked = await requests();
    for (const [route, request] of Object.entries(asked) as [RouteName, Partial<ClientRequest>][]) {
      if (route === 'events' || route === 'bundle') continue;
      const { method, path, status, answer }: ApiRoute = ROUTES[route];
      const got = await call({ method, ...request, path: `${BASE}${request.path ?? path}` });
      expect([route, got.status]).toEqual([route, status]);
      const parsed = strict(answer).safeParse(got.value);
      expect([route, parsed.error?.issues]).toEqual([route, undefined]);
    }
  });

  test('the content is described as it is', async () => {
    const { client } = world.doors[name];
    const { image } = world;
    const bytes = image.bytes.length + image.config.size + (image.layers[0]?.size ?? 0);
    expect(await client.call('stats', { query: {} })).toMatchObject({ blobs: 3, bytes, maxBytes: 5_000_000 });
    expect(await client.call('pin', { body: { reference: 'acme/app:1' } })).toEqual({ pins: [`${APP}:1`] });
    const time = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    expect(await client.call('repositories', { query: {} })).toEqual({
      repositories: [{ repository: APP, tags: 1, blobs: 3, bytes, pins: 1, lastUse: time }],
    });
    const tag = { tag: '1', digest: image.digest, parts: 3, blobs: 3, bytes, isPinned: true };
    expect(await client.call('tags', { query: { repository: APP } })).toEqual({
      tags: [{ ...tag, lastUse: time, checked: time }],
    });
    expect(await client.call('pins', { query: {} })).toEqual({
      pins: [{ name: `${APP}:1`, digest: image.digest, pinnedAt: time }],
    });
    expect(await client.call('unpin', { body: { reference: 'acme/app' } })).toEqual({ pins: [`${APP}:1`] });
  });

  test('a list comes in pages', async () => {
    const { client } = world.doors[name];
    world.registry.putImage('acme/other', '1');
    await world.mirror.get('/v2/acme/other/manifests/1');
    const first = await client.call('repositories', { query: { limit: 1 } });
    expect(first).toMatchObject({ repositories: [{ repository: APP }], next: APP });
    const second = await client.call('repositories', { query: { limit: 10, after: first.next } });
    expect(second.repositories.map(({ repository }) => repository)).toEqual(['registry.test/acme/other']);
    expect(second).not.toHaveProperty('next');
  });

  test('the jobs are listed in pages, the latest first', async () => {
    const { client } = world.doors[name];
    for (let n = 0; n < 2; n += 1) {
      world.mirror.clock.advance(1);
      await runJob(client, 'remove', { references: ['acme/none'] });
    }
    const { jobs, next } = await client.call('jobs', { query: { limit: 1 } });
    const more = await client.call('jobs', { query: { limit: 1, after: next } });
    expect(jobs[0]?.startedAt).toMatch(/Z$/);
    expect((more.jobs[0]?.startedAt ?? '') < (jobs[0]?.startedAt ?? '')).toBe(true);
  });

  test('a job repairs, and its result says so', async () => {
    const { image, mirror, doors } = world;
    const layer = image.layers[0]?.digest ?? image.digest;
    await truncate(mirror.pathOf(layer), 1);
    const result = await runJob(doors[name].client, 'verify', { repair: true });
    expect(result).toMatchObject({
      isSound: true,
      totals: { quarantined: 1, repaired: 1 },
      findings: [
        { kind: 'quarantined', digest: layer },
        { kind: 'repaired', digest: layer },
      ],
      moreFindings: 0,
    });
  });

  test('a job that fails says why', async () => {
    const { client } = world.doors[name];
    await expect(runJob(client, 'warm', { references: [':::'] })).rejects.toMatchObject({ code: 'invalid' });
  });

  const BAD: [string, string, string, string | undefined, ProblemName, string?][] = [
    ['a limit that is none', 'GET', '/repositories?limit=-1', undefined, 'invalid', 'limit'],
    ['a limit that is too high', 'GET', '/repositories?limit=1001', undefined, 'invalid', 'limit'],
    ['a field that is given twice', 'GET', '/pins?after=a&after=b', undefined, 'invalid', 'after'],
    ['a field that there is not', 'GET', '/stats?depth=1', undefined, 'invalid', 'depth'],
    ['no repository', 'GET', '/tags', undefined, 'invalid', 'repository'],
    ['a job to begin after that there is not', 'GET', '/jobs?after=none', undefined, 'invalid', 'after'],
    ['no reference', 'POST', '/pins', '{}', 'invalid', 'reference'],
    ['a reference that is none', 'POST', '/pins', '{"reference":7}', 'invalid', 'reference'],
    ['more than it asks for', 'POST', '/pins', '{"reference":"a","force":true}', 'invalid', 'force'],
    ['no object', 'POST', '/pins', 'null', 'invalid', 'body'],
    ['an unknown kind of jobs', 'POST', '/jobs', '{"kind":"x","request":{}}', 'invalid', 'kind'],
    [
      'a rate that is none',
      'POST',
      '/jobs',
      '{"kind":"verify","request":{"bytesPerSecond":-1}}',
      'invalid',
      'request.bytesPerSecond',
    ],
    [
      'a list with a wrong entry',
      'POST',
      '/jobs',
      '{"kind":"remove","request":{"references":["a",1]}}',
      'invalid',
      'request.references.1',
    ],
    ['a name that cannot be read', 'POST', '/pins', '{"reference":"A:::"}', 'invalid'],
    ['what is not cached', 'POST', '/pins', '{"reference":"acme/none"}', 'unknown'],
    ['a job that there is not', 'GET', '/jobs/none', undefined, 'unknown'],
    ['an unknown path', 'GET', '/nothing', undefined, 'no-route'],
    ['a path behind a job', 'GET', '/jobs/a/b', undefined, 'no-route'],
    ['a method that the path has not', 'DELETE', '/pins', undefined, 'wrong-method'],
  ];

  test.each(BAD)('%s is refused', async (...[, method, path, body, problem, field]) => {
    const { status, value } = await call({ method, path: `${BASE}${path}`, body });
    const told = ProblemDocument.parse(value);
    expect(told).toMatchObject({ type: `urn:larder:problem:${problem}`, ...PROBLEMS[problem] });
    expect(status).toBe(told.status);
    expect(told.detail).not.toBe('');
    expect(told.errors?.map((error) => error.field)).toEqual(field === undefined ? undefined : [field]);
  });

  test('a mistake of the program is told as one, and nothing of it', async () => {
    using _ = spoil(world);
    await expect(world.doors[name].client.call('stats', { query: {} })).rejects.toMatchObject({
      code: 'failed',
      message: 'internal error',
    });
    expect(world.mirror.events).toContainEqual(
      expect.objectContaining({ kind: 'server-failed', operation: 'GET /api/v1/stats' }),
    );
  });
});

/** Makes the next questions for stats fail. */
function spoil({ mirror }: ApiWorld): Disposable {
  const { operator } = mirror;
  const spy = vi.spyOn(operator, 'stats').mockRejectedValue(new Error('secret'));
  return { [Symbol.dispose]: () => spy.mockRestore() };
}

async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const chunk of bytes) yield Buffer.from(chunk).toString();
}

describe.each(DOORS)('a bundle by %s', (name) => {
  test('is exported, read from any byte on, uploaded in pieces, and imported', async () => {
    await using world = await apiWorld();
    const { client, transport } = world.doors[name];
    const { bundle, bytes } = await runJob(client, 'export', { references: ['acme/app:1'] });
    const whole = await readBytes({ bytes: await client.bundle(bundle, 0) });
    expect(whole).toHaveLength(bytes);
    const rest = await readBytes({ bytes: await client.bundle(bundle, 1000) });
    expect(rest.equals(whole.subarray(1000))).toBe(true);
    const path = `${BASE}/bundle?identity=${bundle}`;
    const ranges: [string, string | undefined, number, string][] = [
      ['bytes=10-19', `"${bundle}"`, 206, whole.subarray(10, 20).toString()],
      ['bytes=-5', undefined, 206, whole.subarray(-5).toString()],
      ['bytes=10-19', '"another"', 200, whole.toString()],
      [`bytes=${bytes}-`, undefined, 416, ''],
    ];
    for (const [range, ifRange, status, content] of ranges) {
      const headers = { range, ...(ifRange !== undefined && { 'if-range': ifRange }) };
      const answer = await transport({ method: 'GET', path, headers });
      const isRight = (await readBytes(answer)).toString() === content;
      expect([range, answer.status, isRight]).toEqual([range, status, true]);
    }

    const { id } = await client.call('openUpload', { body: { size: bytes, fingerprint: 'c'.repeat(64) } });
    const half = Math.floor(bytes / 2);
    await client.call('writeUpload', { id, query: { offset: 0 }, body: whole.subarray(0, half) });
    const again = await client.call('openUpload', { body: { size: bytes, fingerprint: 'c'.repeat(64) } });
    expect(again).toEqual({ id, size: bytes, offset: half });
    const tooEarly = client.call('writeUpload', { id, query: { offset: 0 }, body: whole });
    await expect(tooEarly).rejects.toMatchObject({ code: 'invalid' });
    await client.call('writeUpload', { id, query: { offset: half }, body: whole.subarray(half) });
    const { images, refused } = await runJob(client, 'import', { upload: id });
    expect([images.map((image) => image.name), refused]).toEqual([[`${APP}:1`], []]);
    await expect(client.call('upload', { id })).rejects.toMatchObject({ code: 'unknown' });
  });

  test('that is not there is told as such', async () => {
    await using world = await apiWorld();
    const { client } = world.doors[name];
    await expect(client.bundle(`sha256:${'0'.repeat(64)}`, 0)).rejects.toMatchObject({ code: 'unknown' });
    await expect(client.bundle('none', 0)).rejects.toMatchObject({ code: 'invalid' });
  });
});

test('a job of one door is seen by the others, and its events by all', async () => {
  await using world = await apiWorld();
  const { http, socket, process: own } = world.doors;
  const ending = new AbortController();
  const answers = await Promise.all(
    [http, socket, own].map(({ transport }) =>
      transport({ method: 'GET', path: `${BASE}/events`, signal: ending.signal }),
    ),
  );
  const { id } = await http.client.call('startJob', { body: { kind: 'verify', request: {} } });
  for (const { bytes } of answers) {
    const states: string[] = [];
    for await (const { event, data, id: eventId } of parseSse(decoded(bytes))) {
      expect([event, eventId]).toEqual(['job', expect.stringMatching(/^job-\d+-\d+$/)]);
      const job = strict(EVENTS.job).parse(JSON.parse(data)) as Job;
      states.push(job.state);
      if (job.state !== 'running') break;
    }
    expect(states.at(0)).toBe('running');
    expect(states.at(-1)).toBe('done');
  }
  ending.abort();
  const job = await socket.client.call('job', { id });
  expect(strict(JOB_KINDS.verify.result).safeParse(job.result).error).toBeUndefined();
});

test('a job goes on when its caller has gone, and is cancelled by another', async () => {
  await using world = await apiWorld();
  const { http, socket } = world.doors;
  const slow = { kind: 'verify', request: { bytesPerSecond: 1 } } as const;
  const { id } = await http.client.call('startJob', { body: slow });
  const followed = followJob(socket.client, id, () => {});
  expect(await socket.client.call('job', { id })).toMatchObject({ state: 'running', request: slow.request });
  await socket.client.call('cancelJob', { id });
  expect(await followed).toMatchObject({ state: 'cancelled' });
  expect(await http.client.call('cancelJob', { id })).toMatchObject({ state: 'cancelled' });
});
