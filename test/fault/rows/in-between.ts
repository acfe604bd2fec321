import { instead, json, registryError, status, type Reply } from '../../support/scripted-reply.ts';
import { cut, failed, part, stale, whole } from '../cell.ts';
import type { Cells, Group, Row } from '../row.ts';
import { UNREACHABLE } from './patterns.ts';

const UNPROVEN = "without a registry's error document";
const BEARER = { registry: { auth: { kind: 'bearer' } } } as const;

/**
 * The answer is not the registry's word. A tag is asked for by HEAD, then by GET. The cache loses nothing, and Larder
 * remembers nothing.
 */
const REFUSED: Cells = { ...UNREACHABLE, cold: failed(502, 2), stale: stale(2) };

/** The answer may be true: Larder believes it for five seconds, and only about content that is not cached. */
const NOT_FOUND: Cells = {
  cold: failed(404, 2, { code: 'MANIFEST_UNKNOWN', rightAfterMs: 5_000 }),
  stale: stale(2),
  manifest: failed(404, 1, { code: 'MANIFEST_UNKNOWN', rightAfterMs: 5_000 }),
  blob: failed(404, 1, { code: 'BLOB_UNKNOWN', rightAfterMs: 5_000 }),
  follower: cut(5, { tookMs: 7_500 }),
  range: failed(404, 1, { code: 'BLOB_UNKNOWN', rightAfterMs: 5_000 }),
};

export const IN_BETWEEN: Group = {
  title: 'Something that stands before the registry answers in its place, or the registry answers in part',
  rows: [
    all('403 with a page: a block page', page(403, '<html>Request blocked</html>'), REFUSED),
    all('404 with a page: a web server', page(404, '<html><center>nginx</center></html>'), NOT_FOUND),
    all('404 with a text: an ingress', page(404, 'default backend - 404', 'text/plain'), NOT_FOUND),
    all('404 with nothing', status(404), NOT_FOUND),
    all('404 with JSON of a gateway', json({ message: 'no Route matched' }, { status: 404 }), NOT_FOUND),
    {
      ...all('423: locked, with an error document', registryError(423, 'DENIED'), REFUSED),
      says: ['answered 423'],
    },
    all('451 with a page', page(451, '<html>Not in your country</html>'), REFUSED),
    {
      name: '403 at the token endpoint, with an error document',
      says: ['answered 403 DENIED'],
      world: BEARER,
      strike: tokens(registryError(403, 'DENIED')),
      cells: {
        // GHCR says by this document that a repository is missing or private. It never decides about cached content.
        cold: failed(404, 2, { rightAfterMs: 5_000 }),
        stale: stale(1),
        manifest: failed(404, 2, { rightAfterMs: 5_000 }),
        blob: failed(404, 2, { rightAfterMs: 5_000 }),
        follower: cut(3),
        range: failed(404, 2, { rightAfterMs: 5_000 }),
      },
    },
    {
      name: '403 at the token endpoint, with a text',
      says: [UNPROVEN],
      world: BEARER,
      strike: tokens(page(403, 'Forbidden', 'text/plain')),
      cells: {
        cold: failed(503, 2),
        stale: stale(2),
        manifest: failed(503, 2),
        blob: failed(503, 2),
        follower: cut(11, { tookMs: 7_500 }),
        range: failed(503, 2),
      },
    },
    {
      ...all('200 with an error document', registryError(200, 'MANIFEST_UNKNOWN'), {
        cold: failed(502, 2),
        stale: stale(2),
        manifest: failed(502, 1),
        blob: cut(1),
        follower: cut(5, { tookMs: 7_500 }),
        range: failed(502, 1),
      }),
      says: ['sent application/json for a manifest', 'sent wrong bytes'],
      isForeign: true,
    },
    {
      name: 'HEAD is refused with 404, and GET is well',
      says: [],
      strike: (world) => world.fault({ method: 'HEAD' }, instead(status(404))),
      cells: {
        cold: whole(2),
        stale: whole(2),
        manifest: whole(1),
        blob: whole(1),
        follower: whole(1),
        range: part(1),
      },
    },
    {
      name: 'given by tag, and refused by digest',
      says: ['answered 404 MANIFEST_UNKNOWN'],
      strike: (world) =>
        world.fault({ reference: world.image.digest }, instead(registryError(404, 'MANIFEST_UNKNOWN'))),
      cells: {
        cold: whole(3),
        stale: whole(1),
        // Larder believes the registry's word for negativeTtl.
        manifest: failed(404, 1, { code: 'MANIFEST_UNKNOWN', rightAfterMs: 30_000 }),
        blob: whole(1),
        follower: whole(1),
        range: part(1),
      },
    },
  ],
};

/** Makes the row of a fault that answers every request by this reply. */
function all(name: string, reply: Reply, cells: Cells): Row {
  return { name, says: [UNPROVEN], strike: (world) => world.fault({}, instead(reply)), cells };
}

function page(code: number, body: string, type = 'text/html'): Reply {
  return status(code, { body, headers: { 'content-type': type } });
}

/** Makes a fault that ends all tokens and answers every request for a new one by this reply. */
function tokens(reply: Reply): Row['strike'] {
  return (world) => {
    world.registry.expireTokens();
    world.fault({ kind: 'token' }, instead(reply));
  };
}
