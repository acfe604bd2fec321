import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { ask } from './http-client.ts';

/** Pushes to one repository of a registry without authentication (distribution specification, "Push"). */
export interface Pusher {
  blob(bytes: Uint8Array, mediaType?: string): Promise<Descriptor>;
  manifest(document: string, mediaType: string, reference?: string): Promise<Descriptor>;
  /** Mounts a blob of another repository of the same registry into this one. */
  mount(digest: string, from: string): Promise<void>;
}

export function pusher(registryUrl: string, repository: string): Pusher {
  const base = `${registryUrl}/v2/${repository}`;
  return {
    async blob(bytes, mediaType = 'application/octet-stream') {
      const digest = digestOf(bytes);
      const started = await ask(`${base}/blobs/uploads/`, { method: 'POST' });
      const location = new URL(started.headers.location ?? '', registryUrl);
      location.searchParams.set('digest', digest);
      await put(location.href, bytes, 'application/octet-stream');
      return { mediaType, digest, size: bytes.length };
    },
    async manifest(document, mediaType, reference) {
      const bytes = Buffer.from(document);
      const digest = digestOf(bytes);
      await put(`${base}/manifests/${reference ?? digest}`, bytes, mediaType);
      return { mediaType, digest, size: bytes.length };
    },
    async mount(digest, from) {
      const url = `${base}/blobs/uploads/?mount=${digest}&from=${from}`;
      expectStatus(await ask(url, { method: 'POST' }), url);
    },
  };
}

async function put(url: string, body: Uint8Array, mediaType: string): Promise<void> {
  const headers = { 'content-type': mediaType, 'content-length': String(body.length) };
  expectStatus(await ask(url, { method: 'PUT', body, headers }), url);
}

function expectStatus(answer: { status: number; body: Buffer }, url: string): void {
  if (answer.status !== 201) throw new Error(`${url}: ${answer.status} ${answer.body.toString('utf8')}`);
}
