import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { ask } from '../../test/support/e2e/http-client.ts';
import { byScale, type Bench, type BenchContext, type Samples } from '../support/bench.ts';
import { expectContent } from '../support/check.ts';
import { LOAD_METRICS, loadRound } from '../support/load-round.ts';
import { paired } from '../support/paired.ts';
import type { Contestant } from '../support/server.ts';
import { World } from '../support/world.ts';
import { warmUp } from '../support/wrk.ts';

const CONNECTIONS = 32;
const PLAN = {
  full: { rounds: 15, seconds: 1 },
  quick: { rounds: 3, seconds: 1 },
  smoke: { rounds: 1, seconds: 1 },
};
const OPEN = 'open to all';
const USER = 'alice';
const PASSWORD = 'a password of the bench';

export const warmManifestForUser: Bench = {
  name: 'warm-manifest-for-user',
  title: `warm manifest by tag, ${CONNECTIONS} connections, by a token that a rule lets pull`,
  metrics: LOAD_METRICS,
  goals: [{ metric: 'CPU', against: OPEN, atMost: 1.15 }],
  run: measureManifest,
};

async function measureManifest(context: BenchContext): Promise<Samples> {
  await using world = new World(context);
  const image = await world.storage.putImage('team/app', '1', [4096, 4096, 4096]);
  const larders = await world.larders({ access: await accessOf(context) });
  const closed = await Promise.all(larders.map(async (server) => withToken(server, 'team/app')));
  const open = context.hasPeers ? await world.larders() : [];
  const servers = [...closed, ...open.map((server) => ({ ...server, name: OPEN }))];
  await expectContent(servers, image.byTag, image.digest);
  const { rounds, seconds } = byScale(context.scale, PLAN);
  const load = { connections: CONNECTIONS, paths: [image.byTag] };
  await warmUp(context, servers, load);
  return await paired(servers, rounds, async (server) => loadRound(server, { ...load, seconds }));
}

/** Rules of which the last one decides, as it is for most pulls of a file that grew. */
async function accessOf({ directory }: BenchContext): Promise<Readonly<Record<string, unknown>>> {
  const users = join(await directory.folder('access'), 'users');
  await writeFile(users, `${USER}:${await hash(PASSWORD, 4)}\n`);
  const rules = ['a', 'b', 'c'].map((team) => ({
    repositories: [`*/${team}/**`],
    who: [`group:${team}`],
    allow: ['pull', 'tags'],
  }));
  return {
    users,
    groups: { a: ['user:bob'], b: ['user:carol'], c: ['user:dave'] },
    rules: [...rules, { repositories: ['**'], who: ['authenticated'], allow: ['pull', 'tags'] }],
  };
}

/** Logs in as clients do. The token outlives the bench. */
async function withToken(server: Contestant, repository: string): Promise<Contestant> {
  const basic = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
  const url = `${server.url}/token?service=larder&scope=repository:${repository}:pull`;
  const { body } = await ask(url, { headers: { Authorization: `Basic ${basic}` } });
  const { token } = JSON.parse(body.toString()) as { readonly token: string };
  return { ...server, authorization: `Bearer ${token}` };
}
