/** Docker schema 1 manifests, signed as old registries did. */

/** Signs a document. Returns it with its payload, from which the digest is computed. */
export function signedSchema1(document: Readonly<Record<string, unknown>>): {
  readonly bytes: Buffer;
  readonly payload: Buffer;
} {
  const payload = Buffer.from(JSON.stringify(document, null, 3));
  const formatLength = payload.lastIndexOf('\n}');
  const shared = payload.subarray(0, formatLength);
  const signature = protectedHeader({ formatLength, formatTail: base64url(payload.subarray(formatLength)) });
  const signatures = `,\n   "signatures": ${JSON.stringify([signature])}\n}`;
  return { bytes: Buffer.concat([shared, Buffer.from(signatures)]), payload };
}

/** Makes a signature that has only its protected header. */
export function protectedHeader(header: unknown): { readonly protected: string; readonly signature: string } {
  return { protected: base64url(Buffer.from(JSON.stringify(header))), signature: 'AA' };
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}
