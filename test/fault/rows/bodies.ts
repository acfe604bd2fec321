import { gzipSync } from 'node:zlib';
import {
  chunked,
  cutAfter,
  flip,
  instead,
  longBody,
  shortBody,
  withHeaders,
  type Fault,
  type Reply,
} from '../../support/scripted-reply.ts';
import { cut, failed, part, stale, whole } from '../cell.ts';
import type { Group, Row } from '../row.ts';
import { EARLY, HALF, LATE, LAYER } from '../world.ts';
import { TAKEN_UP_AGAIN, UNHARMED, WRONG } from './patterns.ts';

const NOT_THE_MANIFEST = ['sent a manifest that is none', 'sent a manifest of digest'];

const cutInTheMiddle: Fault = (reply) => cutAfter(Math.floor(reply.body.length / 2))(reply);
const cutAtTheEnd: Fault = (reply) => cutAfter(reply.body.length - 1)(reply);

const gzipped: Fault = (reply) => ({
  ...reply,
  headers: { ...reply.headers, 'content-encoding': 'gzip' },
  body: gzipSync(reply.body),
});

export const BODIES: Group = {
  title: 'Upstream answers, and the body breaks or is wrong',
  rows: [
    {
      name: 'reset at byte k, once',
      says: [],
      strike: once(EARLY, cutInTheMiddle),
      running: [cutAfter(LATE)],
      cells: TAKEN_UP_AGAIN,
    },
    {
      name: 'reset at the last byte, once',
      says: [],
      strike: once(LAYER.length - 1, cutAtTheEnd),
      running: [cutAtTheEnd],
      cells: TAKEN_UP_AGAIN,
    },
    {
      name: 'reset behind the headers of every answer',
      says: ['connection lost'],
      strike: always(cutAfter(0)),
      cells: {
        // A blob's headers have come, so clients wait for its bytes, and Larder tries as often as for any transfer.
        cold: failed(502, 3, { cached: 'tag' }),
        stale: whole(1),
        manifest: failed(502, 2),
        blob: cut(5, { tookMs: 7_500 }),
        follower: cut(5, { tookMs: 7_500 }),
        range: cut(5, { status: 206, tookMs: 7_500 }),
      },
    },
    {
      name: 'wrong length: short by a byte',
      says: NOT_THE_MANIFEST,
      strike: always(shortBody()),
      running: [shortBody()],
      cells: WRONG,
    },
    {
      name: 'wrong length: long by a byte',
      says: NOT_THE_MANIFEST,
      strike: always(longBody()),
      running: [longBody()],
      cells: WRONG,
    },
    {
      name: 'wrong bytes',
      says: NOT_THE_MANIFEST,
      isForeign: true,
      strike: always(flip()),
      running: [flip(LATE)],
      cells: { ...WRONG, range: part(1, { isWrong: true, cached: 'nothing' }) },
    },
    {
      name: '200 with HTML',
      says: ['sent text/html for a manifest', 'sent a page (text/html) for a blob'],
      isForeign: true,
      strike: (world) => world.fault({}, instead(html())),
      cells: {
        // A HEAD of HTML tells nothing, so a GET follows. A page in place of a blob is recognized before the first byte.
        cold: failed(502, 2),
        stale: stale(2),
        manifest: failed(502, 1),
        blob: failed(502, 1),
        follower: cut(5, { tookMs: 7_500 }),
        range: failed(502, 1),
      },
    },
    {
      name: 'gzip although identity was asked',
      says: ['sent a body with Content-Encoding gzip'],
      isForeign: true,
      strike: always(gzipped),
      running: [gzipped],
      // A label proves nothing, so only the digest shows that a blob is wrong, as with all wrong bytes.
      cells: { ...WRONG, range: part(1, { isWrong: true, cached: 'nothing' }) },
    },
    {
      name: 'labelled gzip, and it is not',
      says: [],
      strike: always(withHeaders({ 'content-encoding': 'gzip' })),
      running: [withHeaders({ 'content-encoding': 'gzip' })],
      cells: UNHARMED,
    },
    {
      name: 'chunked without length',
      says: [],
      strike: always(chunked()),
      running: [chunked()],
      // Content-Range must tell the whole length, which is unknown, so Larder sends the whole (RFC 9110 §14.2).
      cells: { ...UNHARMED, range: whole(1) },
    },
    {
      name: 'chunked without length, cut in the middle, once',
      says: [],
      strike: once(HALF, cutInTheMiddle, chunked()),
      running: [chunked(), cutAfter(LATE)],
      cells: { ...TAKEN_UP_AGAIN, range: whole(2) },
    },
    {
      name: 'chunked without length, ended a byte early',
      says: NOT_THE_MANIFEST,
      strike: always(chunked(), shortBody()),
      running: [chunked(), shortBody()],
      cells: { ...WRONG, range: cut(1) },
    },
  ],
};

/**
 * Makes a fault that breaks one blob at the byte `at`, and changes one manifest by the fault `manifest`. At `half`, the
 * blob that breaks is the running transfer (`Row.running`), and no other.
 */
function once(at: number, manifest: Fault, ...verbs: readonly Fault[]): Row['strike'] {
  return (world, when) => {
    world.fault({ kind: 'manifest', method: 'GET', times: 1 }, ...verbs, manifest);
    if (when === 'half') return;
    world.fault({ kind: 'blob', times: 1 }, ...verbs, cutAfter(at), world.pauseAfter(at - 1));
  };
}

function always(...verbs: readonly Fault[]): Row['strike'] {
  return (world) => {
    world.fault({ kind: 'manifest', method: 'GET' }, ...verbs);
    world.fault({ kind: 'blob' }, ...verbs);
  };
}

function html(): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: Buffer.from('<html>Please sign in</html>'),
  };
}
