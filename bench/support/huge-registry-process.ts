/**
 * `node huge-registry-process.ts PORT TAGS LAYERS`: a registry that has the largest documents that there may be. Any
 * repository has TAGS tags, sent unordered in one page; any tag is an image of LAYERS layers, one of which is its own.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const [port, tagCount = '0', layerCount = '0'] = process.argv.slice(2);
const TYPE = 'application/vnd.oci.image.manifest.v1+json';

const tags = Array.from({ length: Number(tagCount) }, (_, number) => `t${number.toString(36)}`).toReversed();
const list = JSON.stringify({ name: 'any', tags });

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function manifestOf(tag: string): string {
  const layers = Array.from({ length: tag === 'small' ? 1 : Number(layerCount) }, (_, number) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(`${tag} ${number}`),
    size: number,
  }));
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(tag), size: 2 };
  return JSON.stringify({ schemaVersion: 2, mediaType: TYPE, config, layers });
}

/** Manifests by tag and by digest: a client that has resolved a tag asks for the digest. */
const manifests = new Map<string, string>();

createServer((request, response) => {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const reference = /\/manifests\/(.+)$/.exec(path)?.[1];
  if (path.endsWith('/tags/list')) {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(list);
  } else if (reference !== undefined) {
    const manifest = manifests.get(reference) ?? manifestOf(reference);
    const digest = digestOf(manifest);
    for (const name of [reference, digest]) manifests.set(name, manifest);
    const length = { 'Content-Length': Buffer.byteLength(manifest) };
    response.writeHead(200, { 'Content-Type': TYPE, 'Docker-Content-Digest': digest, ...length });
    response.end(request.method === 'HEAD' ? undefined : manifest);
  } else {
    response.writeHead(path === '/v2/' ? 200 : 404).end();
  }
}).listen(Number(port), '127.0.0.1');
