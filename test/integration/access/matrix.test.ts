import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessFailure } from '../../../src/access/access-error.ts';
import type { Action } from '../../../src/access/action.ts';
import { placeName, type Identity, type Place } from '../../../src/access/identity.ts';
import { ANONYMOUS } from '../../../src/access/principal.ts';
import { BASE, ROUTES, type RouteName } from '../../../src/api/contract/routes.ts';
import { Rules } from '../../../src/access/rules/rules.ts';
import {
  ACME,
  accessWorld,
  as,
  CLIENTS,
  DEBIAN,
  GHCR_HOST,
  OTHER,
  RULES,
  type AccessWorld,
  type Client,
} from '../../support/access-world.ts';
import { markdownTable, withWrittenPart } from '../../support/written-part.ts';

const PAGE = new URL('../../../docs/access.md', import.meta.url);
const BEGIN = '<!-- matrix: written by test/integration/access/matrix.test.ts -->';
const END = '<!-- end of the matrix -->';

const ROLES: readonly (readonly [Client, string])[] = [
  ['anonymous', 'anonymous'],
  ['alice', 'user with a rule'],
  ['bob', 'user without one'],
  ['ci', 'static token'],
  ['builder', 'service account'],
  ['for-acme', 'bearer token for _own_'],
  ['reader', 'user with `read`'],
  ['admin', 'user with `admin`'],
  ['wrong', 'wrong password'],
  ['expired', 'expired token'],
];

/** A repository that its upstream does not have, where the rule for acme counts. */
const MISSING: Place = { registry: 'ghcr.io', repository: 'acme/none' };

const PLACES: readonly (readonly [Place, string])[] = [
  [DEBIAN, 'open'],
  [ACME, 'own'],
  [OTHER, 'foreign'],
  [MISSING, 'unknown'],
];

interface Endpoint {
  readonly name: string;
  /** The path behind the repository's name. */
  readonly path: (world: AccessWorld, place: Place) => string;
  readonly method?: 'HEAD';
  readonly headers?: (world: AccessWorld, place: Place) => Record<string, string>;
  readonly action: Action;
  /** The status for a client that may: if there is the repository, and if there is none. */
  readonly served: readonly [number, number];
}

const IMAGES = new Map([
  [placeName(DEBIAN), 'debian'],
  [placeName(ACME), 'acme'],
  [placeName(OTHER), 'other'],
] as const);

function imageIn({ images }: AccessWorld, place: Place): AccessWorld['images']['acme'] {
  return images[IMAGES.get(placeName(place)) ?? 'acme'];
}

const tag = (_: AccessWorld, place: Place): string => `manifests/${place === DEBIAN ? '12' : '1'}`;
const manifest = (world: AccessWorld, place: Place): string => `manifests/${imageIn(world, place).digest}`;
const blob = (world: AccessWorld, place: Place): string => `blobs/${imageIn(world, place).config.digest}`;
const manifestKnown = (world: AccessWorld, place: Place): Record<string, string> => ({
  'If-None-Match': `"${imageIn(world, place).digest}"`,
});
const blobKnown = (world: AccessWorld, place: Place): Record<string, string> => ({
  'If-None-Match': `"${imageIn(world, place).config.digest}"`,
});
const range = (): Record<string, string> => ({ Range: 'bytes=0-1' });

const ENDPOINTS: readonly Endpoint[] = [
  { name: 'manifest by tag', path: tag, action: 'pull', served: [200, 404] },
  { name: 'HEAD of it', path: tag, method: 'HEAD', action: 'pull', served: [200, 404] },
  { name: 'If-None-Match', path: tag, headers: manifestKnown, action: 'pull', served: [304, 404] },
  { name: 'manifest by digest', path: manifest, action: 'pull', served: [200, 404] },
  { name: 'HEAD of it', path: manifest, method: 'HEAD', action: 'pull', served: [200, 404] },
  { name: 'If-None-Match', path: manifest, headers: manifestKnown, action: 'pull', served: [304, 404] },
  { name: 'blob', path: blob, action: 'pull', served: [200, 404] },
  { name: 'HEAD of it', path: blob, method: 'HEAD', action: 'pull', served: [200, 404] },
  { name: 'range of it', path: blob, headers: range, action: 'pull', served: [206, 404] },
  { name: 'If-None-Match', path: blob, headers: blobKnown, action: 'pull', served: [304, 404] },
  { name: 'list of tags', path: () => 'tags/list', action: 'tags', served: [200, 404] },
  { name: 'HEAD of it', path: () => 'tags/list', method: 'HEAD', action: 'tags', served: [200, 404] },
  {
    name: 'referrers',
    path: (world, place) => `referrers/${imageIn(world, place).digest}`,
    action: 'pull',
    // There is always a list, an empty one too.
    served: [200, 200],
  },
];

/** What else a client can ask for: its title, its path, its Host and its method. */
const PAGES: readonly (readonly [string, string, { Host?: string }?, string?])[] = [
  ['`/v2/`', '/v2/'],
  ['`/docker.io/v2/`, open', '/docker.io/v2/'],
  ['`/v2/` by `hosts`, closed', '/v2/', { Host: GHCR_HOST }],
  ['`/ghcr.io/v2/`, closed', '/ghcr.io/v2/'],
  ['`/v2/_catalog`', '/v2/_catalog'],
  ['an unknown registry', '/v2/acme/app/tags/list?ns=quay.io'],
  ['what the configuration denies', '/ghcr.io/v2/secret/app/tags/list'],
  ['an invalid name', '/v2/Acme/App/tags/list'],
  ['a push', '/ghcr.io/v2/acme/app/manifests/1', {}, 'PUT'],
  ['`/metrics`', '/metrics'],
  ['`/readyz`, `/livez`', '/readyz'],
];

/** A request of each route of the API: the rest of its path, and its body. */
const API: Readonly<Record<RouteName, readonly [string, string?]>> = {
  stats: ['/stats'],
  repositories: ['/repositories'],
  tags: ['/tags?repository=docker.io/library/debian'],
  pins: ['/pins'],
  pin: ['/pins', '{"reference":"docker.io/library/debian:12"}'],
  unpin: ['/pins/end', '{"reference":"docker.io/library/debian:12"}'],
  jobs: ['/jobs'],
  startJob: ['/jobs', '{"kind":"remove","request":{"references":["docker.io/library/none"]}}'],
  job: ['/jobs/job-2'],
  cancelJob: ['/jobs/job-2/cancel'],
  openUpload: ['/uploads', `{"size":9,"fingerprint":"${'a'.repeat(64)}"}`],
  upload: ['/uploads/none'],
  writeUpload: ['/uploads/none?offset=0', 'bytes'],
  abortUpload: ['/uploads/none'],
  bundle: [`/bundle?identity=sha256:${'0'.repeat(64)}`],
  events: ['/events'],
  openapi: ['/openapi.json'],
};

/** Routes that are asked for what there is not: they answer a client that may as they answer one that may not. */
const MISSING_CONTENT: ReadonlySet<RouteName> = new Set(['upload', 'writeUpload', 'abortUpload', 'bundle']);

/** Returns what a client gets that asks the API. */
async function apiStatus({ mirror }: AccessWorld, client: Client, name: RouteName): Promise<number> {
  const [path, body] = API[name];
  const { method } = ROUTES[name];
  const type = method === 'PATCH' ? 'application/octet-stream' : 'application/json';
  const headers = { 'Content-Type': type, ...as(client) };
  const answer = await mirror.open(`${BASE}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  answer.destroy();
  return answer.statusCode ?? 0;
}

/** Decides what a client of the API gets, by nothing but the rules. */
function expectedApiStatus(client: Client, name: RouteName): number {
  const identity = identityOf(client);
  if (typeof identity === 'string') return 401;
  const { needs } = ROUTES[name];
  const status = MISSING_CONTENT.has(name) ? 404 : ROUTES[name].status;
  if (client === 'admin' || (client === 'reader' && needs === 'read')) return status;
  return identity.principal === ANONYMOUS ? 401 : 404;
}

const RULE_TABLE = new Rules(RULES, new Map());

/** Decides what a client gets, by nothing but the rules. */
function expectedStatus(client: Client, place: Place, { action, served }: Endpoint): number {
  const identity = identityOf(client);
  if (typeof identity === 'string') return 401;
  const { principal, grant } = identity;
  if (!RULE_TABLE.decide(principal, action, place).isAllowed) return principal === ANONYMOUS ? 401 : 404;
  if (grant !== undefined && grant.get(placeName(place))?.has(action) !== true) return 401;
  return served[place === MISSING ? 1 : 0];
}

function identityOf(client: Client): Identity | AccessFailure {
  if (client === 'anonymous') return { principal: ANONYMOUS };
  return client in CLIENTS ? CLIENTS[client as keyof typeof CLIENTS] : 'wrong-credentials';
}

/** Returns the addresses of a repository's endpoint: path and Host. */
function addresses(
  { registry, repository }: Place,
  endpoint: string,
): readonly (readonly [string, string?])[] {
  return [
    [`/v2/${repository}/${endpoint}?ns=${registry}`],
    [`/v2/${registry}/${repository}/${endpoint}`],
    [`/${registry}/v2/${repository}/${endpoint}`],
    registry === 'docker.io'
      ? [`/v2/${repository}/${endpoint}`]
      : [`/v2/${repository}/${endpoint}`, GHCR_HOST],
  ];
}

/** Returns the status of the answer, which must be the same by all ways of addressing. */
async function statusOf(
  world: AccessWorld,
  client: Client,
  place: Place,
  endpoint: Endpoint,
): Promise<number> {
  const statuses = new Set<number>();
  for (const [path, host] of addresses(place, endpoint.path(world, place))) {
    const headers = {
      ...endpoint.headers?.(world, place),
      ...as(client),
      ...(host !== undefined && { Host: host }),
    };
    statuses.add((await world.mirror.get(path, { method: endpoint.method ?? 'GET', headers })).status);
  }
  const [status = 0] = statuses;
  expect(statuses.size, `${endpoint.name} of ${placeName(place)} as ${client}`).toBe(1);
  return status;
}

describe.each([true, false])('every route, where credentials are known at once: %s', (isInstant) => {
  let world: AccessWorld;

  beforeAll(async () => {
    world = await accessWorld({ isInstant });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each(ROLES)('as %s', async (client) => {
    for (const endpoint of ENDPOINTS) {
      for (const [place, title] of PLACES) {
        const status = await statusOf(world, client, place, endpoint);
        expect(status, `${endpoint.name} of ${title}`).toBe(expectedStatus(client, place, endpoint));
      }
    }
  });

  test.each(Object.keys(ROUTES) as RouteName[])('%s of the API', async (name) => {
    await world.mirror.jobs.start('remove', { references: ['docker.io/library/none'] }).catch(() => {});
    await world.mirror.operator.pin('docker.io/library/debian:12');
    for (const [client, title] of ROLES) {
      expect([title, await apiStatus(world, client, name)]).toEqual([title, expectedApiStatus(client, name)]);
    }
  });

  test('docs/access.md has the matrix', async () => {
    const routes = ENDPOINTS.map((endpoint) => [
      endpoint.name,
      ...ROLES.map(([client]) =>
        PLACES.map(([place]) => expectedStatus(client, place, endpoint)).join(' · '),
      ),
    ]);
    const pages: string[][] = [];
    for (const [title, path, host, method = 'GET'] of PAGES) {
      const row = ROLES.map(async ([client]) => {
        const { status } = await world.mirror.get(path, { method, headers: { ...host, ...as(client) } });
        return String(status);
      });
      pages.push([title, ...(await Promise.all(row))]);
    }
    const api = (Object.keys(ROUTES) as RouteName[]).map((name) => [
      `\`${ROUTES[name].method} ${BASE}${ROUTES[name].path}\``,
      ...ROLES.map(([client]) => String(expectedApiStatus(client, name))),
    ]);
    const headings = ROLES.map(([, title]) => title);
    const tables = [routes, pages, api].map((rows) => markdownTable(['', ...headings], rows));
    const text = tables.join('\n');
    await expect(
      withWrittenPart(readFileSync(PAGE, 'utf8'), BEGIN, END, text),
      'docs/access.md is out of date: run "npx vitest run --project integration test/integration/access -u"',
    ).toMatchFileSnapshot(PAGE.pathname);
  });
});

describe('the catalog', () => {
  test.each<[Client, readonly string[] | undefined]>([
    ['anonymous', ['docker.io/library/debian']],
    ['alice', ['docker.io/library/debian', 'ghcr.io/acme/app']],
    ['bob', ['docker.io/library/debian']],
    ['olga', ['docker.io/library/debian', 'ghcr.io/other/app']],
    ['for-acme', undefined],
    ['wrong', undefined],
  ])('shows %s %j', async (client, expected) => {
    await using world = await accessWorld();
    const { body } = await world.mirror.get('/v2/_catalog', { headers: as(client) });
    expect((JSON.parse(body.toString()) as { repositories?: string[] }).repositories).toEqual(expected);
  });
});
