import { createDigester, digestAlgorithm } from '../../oci/digest.ts';
import { BundleError } from '../bundle-error.ts';
import { digestOfPath } from '../layout/paths.ts';
import type { BundleEntry } from '../reading/bundle-entry.ts';
import { readTar } from '../reading/read-tar.ts';

/**
 * Passes the bytes of a bundle on, and verifies them as they pass: that they are a whole archive, and that each blob has
 * its digest. What was passed on before a failure must be thrown away.
 * @param bytes each chunk with a buffer of its own
 * @throws BundleError; what reading the bytes throws
 */
export async function* verified(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const verifying = verifyAll(readTar(readable));
  // It is awaited below, but may fail before.
  verifying.catch(() => {});
  writer.closed.catch(() => {});
  try {
    for await (const chunk of bytes) {
      // The verifier's own error says more than that it takes no more.
      await writer.write(chunk).catch(() => verifying);
      yield chunk;
    }
    await writer.close().catch(() => {});
    await verifying;
  } finally {
    await writer.abort().catch(() => {});
    await verifying.catch(() => {});
  }
}

async function verifyAll(entries: AsyncIterable<BundleEntry>): Promise<void> {
  for await (const entry of entries) for await (const _ of verifiedBytes(entry));
}

/** Passes the bytes of an entry on. @throws BundleError after the last of them, if it is a blob of another digest */
export async function* verifiedBytes({ path, bytes }: BundleEntry): AsyncGenerator<Uint8Array> {
  const digest = digestOfPath(path);
  if (digest === undefined) {
    yield* bytes;
    return;
  }
  const digester = createDigester(digestAlgorithm(digest));
  for await (const chunk of bytes) {
    digester.update(chunk);
    yield chunk;
  }
  const actual = digester.digest();
  if (actual !== digest) throw new BundleError(`the bytes of ${digest} have the digest ${actual}`);
}
