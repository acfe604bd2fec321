import type { TestProject } from 'vitest/node';
import { attempt } from './process.ts';
import { prepareStock, type Stock } from './stock.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stock: Stock;
  }
}

/** The programs that the tests drive and the Debian packages they come from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  dockerd: 'docker.io',
  docker: 'docker.io',
  containerd: 'containerd',
  ctr: 'containerd',
  podman: 'podman',
  buildah: 'buildah',
  curl: 'curl',
  openssl: 'openssl',
  nginx: 'nginx',
  ip: 'iproute2',
};

/** Runs before the first e2e file: checks that all programs are there, and builds the registries' stock. */
export async function setup(project: TestProject): Promise<void> {
  await requirePrograms();
  project.provide('stock', await prepareStock());
}

async function requirePrograms(): Promise<void> {
  const missing = new Set<string>();
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) {
    const found = await attempt('sh', ['-c', `command -v ${program}`]);
    if (found.code !== 0) missing.add(debianPackage);
  }
  if (missing.size === 0) return;
  throw new Error(`the e2e tests need: apt-get install --no-install-recommends ${[...missing].join(' ')}`);
}
