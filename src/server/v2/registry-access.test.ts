import * as fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ScriptedReader } from '../../../test/support/scripted-reader.ts';
import { scriptedAuthentication } from '../../../test/support/scripted-authentication.ts';
import { Gate } from '../../access/gate.ts';
import { CATALOG, placeName, type Identity, type Place } from '../../access/identity.ts';
import { ANONYMOUS, type Principal } from '../../access/principal.ts';
import { Rules, type Rule } from '../../access/rules/rules.ts';
import type { Who } from '../../access/rules/who.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { HIT } from '../../repository/outcome.ts';
import type { Repository } from '../../repository/repository.ts';
import { RepositoryTable, type ServedRegistry } from '../../repository/repository-table.ts';
import type { FlatReply, Reply } from '../reply.ts';
import { RequestRecord } from '../request/request-record.ts';
import { Registry } from './registry.ts';

const MANIFEST = {
  digest: digestOf('{}'),
  mediaType: MediaType.ociManifest,
  bytes: new TextEncoder().encode('{}'),
};
const OUTCOME = { outcome: HIT };

/** A repository that has everything, in memory. @param note called at each question, with the repository's name */
function repositoryOf(key: Repository['key'], note: (place: string) => void): Repository {
  const noting = <T>(answer: T): T => {
    note(placeName(key));
    return answer;
  };
  return {
    key,
    resolveNow: (reference) => noting({ reference, digest: MANIFEST.digest, ...OUTCOME }),
    resolve: (reference) => Promise.resolve(noting({ reference, digest: MANIFEST.digest, ...OUTCOME })),
    manifestNow: () => noting({ manifest: MANIFEST, ...OUTCOME }),
    manifest: () => Promise.resolve(noting({ manifest: MANIFEST, ...OUTCOME })),
    manifestHead: () => Promise.resolve(noting(undefined)),
    linuxImage: () => Promise.resolve(noting(MANIFEST.digest)),
    blob: () => Promise.resolve(noting({ reader: new ScriptedReader(10), ...OUTCOME })),
    blobHead: () => Promise.resolve(noting({ size: 10, ...OUTCOME })),
    tags: () => Promise.resolve(noting({ entries: ['1'], hasMore: false, ...OUTCOME })),
    referrers: () => Promise.resolve(noting({ descriptors: [], ...OUTCOME })),
  };
}

const HOST = 'ghcr.mirror.test';
const PLACES: readonly Place[] = [
  { registry: 'docker.io', repository: 'library/debian' },
  { registry: 'docker.io', repository: 'acme/app' },
  { registry: 'ghcr.io', repository: 'acme/app' },
  { registry: 'ghcr.io', repository: 'acme/app/sub' },
  { registry: 'ghcr.io', repository: 'other/app' },
];

interface World {
  readonly registry: Registry;
  /** The repositories that were asked something. */
  readonly asked: Set<string>;
}

function worldOf(rules: Rules, identity: Identity): World {
  const asked = new Set<string>();
  const served = (name: string, change: Partial<ServedRegistry>): ServedRegistry => ({
    name,
    aliases: [],
    hosts: [],
    addLibrary: false,
    isAllowed: () => true,
    repository: (key) => repositoryOf(key, (place) => asked.add(place)),
    ...change,
  });
  const hub = served('docker.io', { addLibrary: true, aliases: ['index.docker.io'] });
  const table = new RepositoryTable([hub, served('ghcr.io', { hosts: [HOST] })], 'docker.io');
  const registry = new Registry(table, {
    clock: new ManualClock(),
    answerMs: 1_000,
    randomBytes: (size) => new Uint8Array(size),
    passage: { hasPassed: () => false, carry: (_, run) => run() },
    gate: new Gate(rules, scriptedAuthentication({ me: identity })),
    publicUrl: { tokenRealm: () => 'http://mirror.test/token' },
    catalog: (_, isShown) =>
      Promise.resolve({ entries: PLACES.map(placeName).filter(isShown), hasMore: false }),
  });
  return { registry, asked };
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function incomingOf({ method, url, headers }: Request): IncomingMessage {
  const entries = Object.entries(headers);
  return {
    method,
    url,
    headers,
    headersDistinct: Object.fromEntries(entries.map(([name, value]) => [name, [value]])),
    rawHeaders: entries.flat(),
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  } as unknown as IncomingMessage;
}

const record = (): RequestRecord => new RequestRecord('request-1', '192.0.2.1', 0);

const ALICE: Principal = { kind: 'user', name: 'alice' };
const BUILDER: Principal = {
  kind: 'oidc',
  issuer: 'cluster',
  subject: 'system:serviceaccount:ci:builder',
  groups: ['cluster:builders'],
  serviceAccount: { namespace: 'ci', name: 'builder' },
};

const who = fc.constantFrom<Who>(
  { kind: 'anonymous' },
  { kind: 'authenticated' },
  { kind: 'user', name: 'alice' },
  { kind: 'user', name: 'b*' },
  { kind: 'token', name: '*' },
  { kind: 'group', name: 'platform' },
  { kind: 'group', name: 'cluster:builders' },
  { kind: 'oidc', issuer: 'cluster', subject: '*' },
  { kind: 'serviceaccount', namespace: 'ci', name: '*' },
);
const GLOBS = [
  '**',
  '*/**',
  'docker.io/**',
  'docker.io/library/*',
  'docker.io/library/debian',
  'ghcr.io/**',
  'ghcr.io/acme/*',
  'ghcr.io/acme/**',
  'ghcr.io/*/app',
];
const rule: fc.Arbitrary<Rule> = fc.record({
  repositories: fc.uniqueArray(fc.constantFrom(...GLOBS), { minLength: 1, maxLength: 2 }),
  who: fc.uniqueArray(who, { minLength: 1, maxLength: 2 }),
  allow: fc.uniqueArray(fc.constantFrom('pull', 'tags', 'metrics'), { maxLength: 3 }),
});
const rules = fc
  .array(rule, { maxLength: 4 })
  .map((all) => new Rules(all, new Map([['platform', [{ kind: 'user', name: 'alice' }]]])));

const principal = fc.constantFrom<Principal>(
  ANONYMOUS,
  ALICE,
  { kind: 'user', name: 'bob' },
  { kind: 'token', name: 'ci' },
  BUILDER,
);
const granted = fc.uniqueArray(fc.constantFrom('pull' as const, 'tags' as const), { minLength: 1 });
const grant = fc
  .uniqueArray(fc.tuple(fc.constantFrom(CATALOG, ...PLACES.map(placeName)), granted), { maxLength: 3 })
  .map((entries) => new Map(entries.map(([key, actions]) => [key, new Set(actions)])));
const identity: fc.Arbitrary<Identity> = fc.record({
  principal,
  grant: fc.option(grant, { nil: undefined, freq: 2 }),
});

const ENDPOINTS = [
  ['manifests/1', 'pull'],
  [`manifests/${MANIFEST.digest}`, 'pull'],
  [`blobs/${MANIFEST.digest}`, 'pull'],
  [`referrers/${MANIFEST.digest}`, 'pull'],
  ['tags/list', 'tags'],
] as const;

/** Returns the ways to address a repository's endpoint: URL, and Host if it chooses the registry. */
function addresses(
  { registry, repository }: Place,
  endpoint: string,
): readonly (readonly [string, string?])[] {
  const isHub = registry === 'docker.io';
  const short = repository.replace(/^library\//, '');
  return [
    [`/v2/${repository}/${endpoint}?ns=${registry}`],
    [`/v2/${repository}/${endpoint}?ns=${isHub ? 'INDEX.docker.io' : 'GHCR.io'}`],
    [`/v2/${registry}/${repository}/${endpoint}?ns=${registry}`],
    [`/v2/${registry}/${repository}/${endpoint}`],
    [`/${registry}/v2/${repository}/${endpoint}`],
    [`/v2/${registry}/${repository.replaceAll('p', '%70')}/${endpoint}`],
    ...(isHub
      ? ([[`/v2/${short}/${endpoint}`], [`/index.docker.io/v2/${short}/${endpoint}`]] as const)
      : ([[`/v2/${repository}/${endpoint}`, HOST]] as const)),
  ];
}

/** A request for a repository, with what it is for. */
const question: fc.Arbitrary<{ place: Place; action: 'pull' | 'tags'; request: Request }> = fc
  .tuple(fc.constantFrom(...PLACES), fc.constantFrom(...ENDPOINTS), fc.nat(7), fc.constantFrom('GET', 'HEAD'))
  .chain(([place, [endpoint, action], way, method]) => {
    const all = addresses(place, endpoint);
    const [url, host = 'mirror.test'] = all[way % all.length] ?? [''];
    const extra = fc.constantFrom<Record<string, string>>(
      {},
      { range: 'bytes=0-1' },
      { 'if-none-match': `"${MANIFEST.digest}"` },
      { 'cache-control': 'no-cache' },
    );
    return extra.map((more) => ({ place, action, request: { method, url, headers: { ...more, host } } }));
  });

function withIdentity(request: Request, { principal: { kind }, grant: narrowed }: Identity): Request {
  if (kind === 'anonymous' && narrowed === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization: 'me' } };
}

/** Returns the statuses that a client may get, by nothing but the rules and its token. */
function expected(all: Rules, me: Identity, action: 'pull' | 'tags', place: Place): readonly number[] {
  if (!all.decide(me.principal, action, place).isAllowed) {
    return [me.principal.kind === 'anonymous' ? 401 : 404];
  }
  const isGranted = me.grant === undefined || me.grant.get(placeName(place))?.has(action) === true;
  return isGranted ? [200, 206, 304] : [401];
}

async function bodyOf({ body }: Reply | FlatReply): Promise<unknown> {
  if (body.kind === 'blob') await body.reader.close();
  return body.kind === 'bytes' ? Buffer.from(body.bytes).toString() : body.kind;
}

/** Returns everything that a client sees of a reply. */
async function toldBy(reply: Reply | FlatReply): Promise<readonly unknown[]> {
  return [reply.status, headersOf(reply), await bodyOf(reply)];
}

function headersOf({ headers }: Reply | FlatReply): Reply['headers'] {
  if (!Array.isArray(headers)) return headers;
  return Object.fromEntries(
    headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]] as const] : [])),
  );
}

test('every route gives exactly what the rules allow, on both ways of answering, and else asks nothing', async () => {
  await fc.assert(
    fc.asyncProperty(rules, identity, question, async (all, me, { place, action, request }) => {
      const { registry, asked } = worldOf(all, me);
      const incoming = incomingOf(withIdentity(request, me));
      const statuses = expected(all, me, action, place);
      const isServed = statuses.includes(200);

      const atOnce = registry.replyNow(incoming, record());
      const isWarm = request.url.includes('/manifests/') && request.headers['cache-control'] === undefined;
      expect(atOnce !== undefined).toBe(isServed && isWarm);
      expect(isServed || asked.size === 0).toBe(true);

      const reply = await registry.reply(incoming, record());
      expect(statuses).toContain(reply.status);
      expect([...asked]).toEqual(isServed ? [placeName(place)] : []);
      const told = await toldBy(reply);
      expect(await toldBy(atOnce ?? reply)).toEqual(told);
    }),
    { numRuns: 2_000 },
  );
});

test('what is prepared for one kind of clients is not given to another', async () => {
  const all = new Rules([{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow: ['pull'] }], new Map());
  const { registry } = worldOf(all, { principal: ALICE });
  const [byAlice, byOthers] = [{ authorization: 'me' }, {}];
  const known = { 'if-none-match': `"${MANIFEST.digest}"` };
  const privacy = [known, {}].flatMap((more) =>
    [byOthers, byAlice, byOthers, byAlice].map((who) => {
      const headers = { host: 'mirror.test', ...who, ...more };
      const reply = registry.replyNow(
        incomingOf({ method: 'GET', url: '/v2/acme/app/manifests/1', headers }),
        record(),
      );
      return [reply?.status, reply && headersOf(reply)['Cache-Control']];
    }),
  );
  expect(privacy).toEqual(
    [304, 200].flatMap((status) =>
      [undefined, 'private', undefined, 'private'].map((each) => [status, each]),
    ),
  );
});

test('the catalog shows exactly what the client may pull or list', async () => {
  await fc.assert(
    fc.asyncProperty(rules, identity, async (all, me) => {
      const { registry } = worldOf(all, me);
      const request = withIdentity(
        { method: 'GET', url: '/v2/_catalog', headers: { host: 'mirror.test' } },
        me,
      );
      const reply = await registry.reply(incomingOf(request), record());
      const listed = ['pull', 'tags'] as const;
      const may = (place: Place): boolean =>
        listed.some((action) => all.decide(me.principal, action, place).isAllowed);
      const lacksScope = me.grant !== undefined && me.grant.get(CATALOG)?.has('tags') !== true;
      const mayNothing = me.principal.kind === 'anonymous' && !all.mayAnywhere(me.principal, listed);
      const { repositories } = JSON.parse(String(await bodyOf(reply))) as { repositories?: unknown };
      expect([reply.status, repositories]).toEqual(
        lacksScope || mayNothing ? [401, undefined] : [200, PLACES.filter(may).map(placeName)],
      );
    }),
  );
});

test('the ping of a registry is open exactly if it may be pulled from, or the client has credentials', async () => {
  await fc.assert(
    fc.asyncProperty(rules, identity, fc.constantFrom('docker.io', 'ghcr.io'), async (all, me, name) => {
      const { registry } = worldOf(all, me);
      const request = withIdentity(
        { method: 'GET', url: `/${name}/v2/`, headers: { host: 'mirror.test' } },
        me,
      );
      const { status } = await registry.reply(incomingOf(request), record());
      const isOpen = all.isOpen(name);
      expect(status).toBe(isOpen || me.principal.kind !== 'anonymous' ? 200 : 401);
      // What the ping promises holds for each repository.
      const places = PLACES.filter((place) => place.registry === name);
      expect(!isOpen || places.every((place) => all.decide(ANONYMOUS, 'pull', place).isAllowed)).toBe(true);
    }),
  );
});
