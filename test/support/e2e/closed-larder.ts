import { hash } from 'bcryptjs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countingProxy, type CountingProxy } from './counting-proxy.ts';
import { dockerRegistry, type DockerRegistry } from './docker-registry.ts';
import { larder, type Larder } from './larder.ts';
import { freePort } from './port.ts';
import { PASSWORDS } from './secrets.ts';
import { temporaryDirectory } from './temporary.ts';

/** A user of Larder. */
export const ALICE = { username: 'alice', password: PASSWORDS.alice };

/** The least that bcrypt has: the tests log in often. */
const COST = 4;

/** A Larder whose images of Docker Hub are for all, and those of ghcr.io for one user and one robot. */
export interface ClosedLarder extends AsyncDisposable {
  readonly mirror: Larder;
  /** Docker Hub, open. */
  readonly hub: DockerRegistry;
  /** ghcr.io, at which only Larder has an account. */
  readonly ghcr: DockerRegistry;
  /** Records what clients send to Larder through it. Its address stands for Docker Hub alone (`hosts`). */
  readonly front: CountingProxy;
}

/** @param stock what both registries hold */
export async function closedLarder(stock: string): Promise<ClosedLarder> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('closed'));
  const hub = stack.use(await dockerRegistry({ stock }));
  const ghcr = stack.use(await dockerRegistry({ stock, auth: 'htpasswd' }));
  const users = join(directory.path, 'users.htpasswd');
  await writeFile(users, `${ALICE.username}:${await hash(ALICE.password, COST)}\n`);
  const host = `127.0.0.1:${await freePort()}`;
  const front = stack.use(await countingProxy(`http://${host}`));
  const upstreams = {
    'docker.io': { url: hub.url, hosts: [`127.0.0.1:${front.port}`] },
    'ghcr.io': { url: ghcr.url, credentials: ghcr.account },
  };
  const rules = [
    { repositories: ['ghcr.io/team/**'], who: ['user:alice', 'token:robot'], allow: ['pull', 'tags'] },
    { repositories: ['docker.io/**'], who: ['anonymous'], allow: ['pull', 'tags'] },
  ];
  const mirror = stack.use(await larder({ upstreams, access: { users, rules } }, { host }));
  const owned = stack.move();
  return { mirror, hub, ghcr, front, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}
