import { neverRespond, resetBeforeHeaders, stallAfter } from '../../support/scripted-reply.ts';
import { createCertificateAuthority } from '../../support/tls.ts';
import { cut, failed, stale, whole } from '../cell.ts';
import type { Group } from '../row.ts';
import { EARLY, REGISTRY, type World } from '../world.ts';
import { LEFT_ALONE } from './patterns.ts';

const UNCONFIRMED = 'did not confirm the tag within 2000 ms';

export const CONNECTIONS: Group = {
  title: 'Upstream cannot be reached, or says nothing',
  rows: [
    {
      name: 'connection refused',
      says: ['connection refused'],
      strike: ({ network }) => network.fail('refused'),
      cells: LEFT_ALONE,
    },
    {
      name: 'blackholed: packets are dropped',
      says: ['no answer in time', UNCONFIRMED],
      strike: ({ network }, when) =>
        when === 'start' ? network.fail('blackholed') : network.blockNew('blackholed'),
      isSilent: true,
      cells: {
        // The time to connect. The running transfer takes the time of a silent body, and then five times the time to
        // connect.
        cold: failed(504, 1, { tookMs: 5_000 }),
        // An upstream that was too slow once is asked in the background until it answers.
        stale: stale(1, { tookMs: 2_000, rightAfterMs: 20_000 }),
        manifest: failed(504, 1, { tookMs: 5_000 }),
        blob: failed(504, 1, { tookMs: 5_000 }),
        follower: cut(5, { tookMs: 62_500, rightAfterMs: 2_000 }),
        range: failed(504, 1, { tookMs: 5_000 }),
      },
    },
    {
      name: 'DNS failure',
      says: ['the host name cannot be resolved'],
      strike: ({ network }) => network.fail('unresolved'),
      cells: LEFT_ALONE,
    },
    {
      name: 'TLS: certificate of an unknown authority',
      says: ['no trusted TLS connection'],
      world: { isSecure: true },
      strike: (world) => world.impersonate(REGISTRY, createCertificateAuthority('Somebody Else')),
      cells: LEFT_ALONE,
    },
    {
      name: 'TLS: certificate of another name',
      says: ['no trusted TLS connection'],
      world: { isSecure: true },
      strike: (world) => world.impersonate('other.test', world.authority),
      cells: LEFT_ALONE,
    },
    {
      name: 'reset before the headers',
      says: ['connection lost'],
      strike: (world) => world.fault({}, resetBeforeHeaders()),
      // Only the stale tag finds a kept connection. Upstream may have closed it, so Larder tries again on a new one.
      cells: { ...LEFT_ALONE, stale: stale(2) },
    },
    {
      name: 'stalled headers',
      says: ['no answer within 20000 ms', UNCONFIRMED],
      strike: (world) => world.fault({}, neverRespond()),
      cells: {
        // Less than the 30 s after which containerd gives up. Larder gives up a transfer after a minute of silence.
        cold: failed(504, 1, { tookMs: 20_000 }),
        stale: stale(1, { tookMs: 2_000, rightAfterMs: 30_000 }),
        manifest: failed(504, 1, { tookMs: 20_000 }),
        blob: failed(504, 1, { tookMs: 20_000 }),
        follower: cut(3, { tookMs: 61_500 }),
        range: failed(504, 1, { tookMs: 20_000 }),
      },
    },
    {
      name: 'stalled body',
      says: ['did not finish its answer in time'],
      strike: stallBodies,
      isSilent: true,
      cells: {
        // A manifest shares the deadline of its headers. A blob may be silent for 30 s, twice.
        cold: failed(504, 2, { cached: 'tag', tookMs: 20_000 }),
        stale: whole(1),
        manifest: failed(504, 1, { tookMs: 20_000 }),
        blob: cut(2, { tookMs: 60_000 }),
        follower: cut(1, { tookMs: 60_000 }),
        range: cut(2, { status: 206, tookMs: 60_000 }),
      },
    },
  ],
};

/** Lets every body stall: manifests and whole blobs after some bytes, parts of blobs before the first byte. */
function stallBodies(world: World): void {
  world.fault({ kind: 'manifest' }, stallAfter(100));
  world.fault({ kind: 'blob' }, (reply) => stallAfter(reply.status === 206 ? 0 : EARLY)(reply));
}
