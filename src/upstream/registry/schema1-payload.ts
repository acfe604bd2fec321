import { isJsonObject, type JsonObject } from '../../oci/documents/json.ts';

/**
 * Returns the bytes that the signatures of a Docker schema 1 manifest cover; its digest is over them (distribution,
 * manifest-v2-1.md, "Signed Manifests"). They are the first `formatLength` bytes of the document, then `formatTail`, as
 * the `protected` header of each signature says. The signatures are not checked, since their keys are not known.
 * @returns undefined if there are none, the signatures disagree, or the bytes say something else than the document
 */
export function schema1Payload(bytes: Uint8Array): Uint8Array | undefined {
  const { signatures, ...said } = parseObject(bytes) ?? {};
  if (!Array.isArray(signatures)) return undefined;
  const [first, ...others] = signatures.map((signature) => payloadOf(bytes, signature));
  if (first === undefined || !others.every((other) => other?.equals(first) === true)) return undefined;
  // No signature covers the rest of the document, where a later member would win over an earlier one of that name.
  return JSON.stringify(parseObject(first)) === JSON.stringify(said) ? first : undefined;
}

function payloadOf(bytes: Uint8Array, signature: unknown): Buffer | undefined {
  const encoded = isJsonObject(signature) ? signature['protected'] : undefined;
  if (typeof encoded !== 'string') return undefined;
  const { formatLength, formatTail } = parseObject(Buffer.from(encoded, 'base64url')) ?? {};
  if (typeof formatLength !== 'number' || typeof formatTail !== 'string') return undefined;
  if (!Number.isInteger(formatLength) || formatLength < 0 || formatLength > bytes.length) return undefined;
  return Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
