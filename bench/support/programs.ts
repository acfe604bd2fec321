import { run } from './process.ts';

/** The programs that are measured or that measure, and the Debian packages they come from. */
const PROGRAMS = { wrk: 'wrk', nginx: 'nginx', 'docker-registry': 'docker-registry' } as const;

/** Checks that the programs are installed. @throws Error that names the packages to install */
export async function requirePrograms(): Promise<void> {
  const names = Object.keys(PROGRAMS);
  const found = await run('sh', [
    '-c',
    'for each; do command -v "$each" >/dev/null && echo "$each"; done; true',
    'sh',
    ...names,
  ]);
  const missing = Object.entries(PROGRAMS).filter(([name]) => !found.split('\n').includes(name));
  if (missing.length === 0) return;
  const packages = missing.map(([, debianPackage]) => debianPackage).join(' ');
  throw new Error(`the benches need: apt-get install --no-install-recommends ${packages}`);
}
