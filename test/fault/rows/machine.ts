import { part, whole } from '../cell.ts';
import type { Cells, Group, Row } from '../row.ts';
import { UNHARMED } from './patterns.ts';

const DAY_MS = 24 * 3600_000;

/**
 * Everybody who is being served is served on: those who follow a fill by its one transfer, past the disk from where that
 * left them. What the disk does not take, memory keeps of a manifest and nobody of a blob.
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
      // Else nothing would be read from the disk.
      world: { manifestMemoryBytes: 1 },
      strike: ({ disk }) => {
        disk.fault = { unreadableFrom: 0.25 };
      },
      cells: {
        // What cannot be read is set aside. The client goes on from upstream; a blob is kept again by the next pull.
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
        // Manifests are not read again. What was written counts as cached until it is found out.
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

/** Somebody sets the machine's clock. */
function jump(ms: number): Row['strike'] {
  return ({ mirror }) => mirror.clock.jump(ms);
}
