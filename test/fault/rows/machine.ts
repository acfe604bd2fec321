import { part, whole } from '../cell.ts';
import type { Cells, Group, Row } from '../row.ts';
import { UNHARMED } from './patterns.ts';

const DAY_MS = 24 * 3600_000;

/**
 * Every client still gets its whole answer. The followers of a fill get the rest from its one transfer, past the disk,
 * from the byte at which the disk failed. A manifest that the disk does not take stays in memory; a blob is not kept.
 */
const PASSED_THROUGH: Cells = {
  cold: whole(2, { cached: 'tag' }),
  stale: whole(1),
  manifest: whole(1, { cached: 'nothing' }),
  blob: whole(2, { cached: 'nothing' }),
  follower: whole(0, { cached: 'nothing' }),
  range: part(2, { cached: 'nothing' }),
};

export const MACHINE: Group = {
  title: "Larder's own machine fails",
  rows: [
    {
      name: 'disk full',
      says: [],
      strike: ({ disk }) => {
        disk.fault = { fullFrom: 0 };
      },
      running: [],
      cells: PASSED_THROUGH,
    },
    {
      name: 'disk full at byte k',
      says: [],
      strike: ({ disk }, when) => {
        disk.fault = { fullFrom: when === 'start' ? 0.25 : 0.75 };
      },
      running: [],
      cells: {
        ...PASSED_THROUGH,
        blob: whole(1, { cached: 'nothing' }),
        range: part(1, { cached: 'nothing' }),
      },
    },
    {
      name: 'EIO when what is cached is read',
      says: [],
      isWarm: true,
      // With more memory, manifests would not be read from the disk.
      world: { manifestMemoryBytes: 1 },
      strike: ({ disk }) => {
        disk.fault = { unreadableFrom: 0.25 };
      },
      cells: {
        // Content that cannot be read is set aside. The client gets the rest from upstream. The next pull stores the
        // blob again.
        cold: undefined,
        stale: whole(2),
        manifest: whole(1),
        blob: whole(1, { cached: 'nothing' }),
        follower: undefined,
        range: part(1, { cached: 'nothing' }),
      },
    },
    {
      name: 'EIO when what is being fetched is read',
      says: [],
      strike: ({ disk }, when) => {
        disk.fault = { unreadableFrom: when === 'start' ? 0.25 : 0.75 };
      },
      running: [],
      cells: {
        // Manifests are not read again. Written bytes count as cached until a later read fails.
        cold: undefined,
        stale: undefined,
        manifest: undefined,
        blob: whole(2),
        follower: whole(2),
        range: part(2),
      },
    },
    { name: 'clock jumps a day forward', says: [], strike: jump(DAY_MS), running: [], cells: UNHARMED },
    { name: 'clock jumps a day back', says: [], strike: jump(-DAY_MS), running: [], cells: UNHARMED },
  ],
};

/** Makes a fault that sets the machine's clock. */
function jump(ms: number): Row['strike'] {
  return ({ mirror }) => mirror.clock.jump(ms);
}
