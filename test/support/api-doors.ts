/**
 * A mirror whose API is reached by every door: HTTP as a client that may do everything, the control socket, and the
 * process itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate } from '../../src/access/gate.ts';
import { Rules, type Rule } from '../../src/access/rules/rules.ts';
import { ApiClient } from '../../src/api/client/api-client.ts';
import { httpTransport } from '../../src/api/client/http-transport.ts';
import { localTransport } from '../../src/api/client/local-transport.ts';
import type { ClientAnswer, ApiTransport } from '../../src/api/client/transport.ts';
import { listenControl } from '../../src/server/api/control-socket.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from './fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from './mirror-fixture.ts';
import { scriptedAuthentication } from './scripted-authentication.ts';

export const DOORS = ['http', 'socket', 'process'] as const;
type DoorName = (typeof DOORS)[number];

interface Door {
  readonly client: ApiClient;
  readonly transport: ApiTransport;
}

export interface ApiWorld extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  /** `registry.test/acme/app:1`, which is cached whole. */
  readonly image: StoredImage;
  readonly doors: Readonly<Record<DoorName, Door>>;
}

const OPERATOR = { kind: 'user', name: 'operator' } as const;

const RULES: readonly Rule[] = [
  { repositories: ['**'], who: [OPERATOR], allow: ['read', 'admin'] },
  { repositories: ['**'], who: [{ kind: 'anonymous' }], allow: ['pull', 'tags'] },
];

export async function apiWorld(options: Partial<MirrorFixtureOptions> = {}): Promise<ApiWorld> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const authentication = scriptedAuthentication({ operator: { principal: OPERATOR } }, true);
  const gate = new Gate(new Rules(RULES, new Map()), authentication);
  const upstreams = [{ name: 'registry.test', registry }];
  const mirror = stack.use(await startMirror({ upstreams, gate, ...options }));
  const image = registry.putImage('acme/app', '1');
  await mirror.get('/v2/acme/app/manifests/1');
  for (const { digest } of [image.config, ...image.layers]) await mirror.get(`/v2/acme/app/blobs/${digest}`);
  // The socket is not one of the files that the fixture looks at.
  const directory = await mkdtemp(join(tmpdir(), 'larder-control-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const control = await listenControl({ api: mirror.api, directory, temporaryDirectory: directory });
  stack.defer(() => control.close());
  const { hostname: host, port } = mirror.url;
  const doors = {
    http: door(httpTransport({ host, port, headers: { Host: 'mirror.test', Authorization: 'operator' } })),
    socket: door(httpTransport({ socketPath: control.path })),
    process: door(localTransport(mirror.api)),
  };
  const parts = stack.move();
  return { registry, mirror, image, doors, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function door(transport: ApiTransport): Door {
  return { transport, client: new ApiClient(transport) };
}

/** Reads an answer as JSON. */
export async function readJson(answer: ClientAnswer): Promise<unknown> {
  return JSON.parse((await readBytes(answer)).toString()) as unknown;
}

export async function readBytes({ bytes }: Pick<ClientAnswer, 'bytes'>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
