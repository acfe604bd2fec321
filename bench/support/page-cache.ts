import { run } from './process.ts';

/** Files below this size do not count: they are an index, or configuration. */
const LARGE = '+900k';

/**
 * Has the system forget the bytes of all large files in a directory, as if they had not been read for long. Bytes are
 * forgotten only once they are on the disk, so they are written first.
 * @throws Error if the system keeps them: the directory is in memory (tmpfs)
 */
export async function dropFromMemory(directory: string): Promise<void> {
  const each = [
    '-exec',
    'sh',
    '-c',
    'sync -d "$1" && dd if="$1" iflag=nocache count=0 status=none',
    'sh',
    '{}',
    ';',
  ];
  await run('find', [directory, '-type', 'f', '-size', LARGE, ...each]);
  const [kept, all] = await residentBytes(directory);
  if (kept > all / 10) throw new Error(`${kept} bytes of ${all} in ${directory} stay in memory`);
}

/** Returns how many bytes of the large files are in memory, and how many there are. */
async function residentBytes(directory: string): Promise<readonly [resident: number, all: number]> {
  const list = ['fincore', '--bytes', '--noheadings', '--raw', '--output', 'RES,SIZE', '{}', '+'];
  const output = await run('find', [directory, '-type', 'f', '-size', LARGE, '-exec', ...list]);
  const rows = output
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return [sum(rows.map(([resident = 0]) => resident)), sum(rows.map(([, size = 0]) => size))];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
