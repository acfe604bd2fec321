import { isJsonObject, type JsonObject } from '../../oci/json.ts';

/**
 * The bytes that the signatures of a Docker schema 1 manifest cover, over which its digest is (distribution,
 * manifest-v2-1.md, "Signed Manifests"): the first `formatLength` bytes of the document and `formatTail` behind them,
 * as the `protected` header of each signature says. The signatures themselves are not checked: nobody has their keys.
 * @returns undefined where there is none, the signatures disagree about it, or it says something else than the document
 */
export function schema1Payload(bytes: Uint8Array): Uint8Array | undefined {
  const { signatures, ...said } = parseObject(bytes) ?? {};
  if (!Array.isArray(signatures)) return undefined;
  const [first, ...others] = signatures.map((signature) => payloadOf(bytes, signature));
  if (first === undefined || !others.every((other) => other?.equals(first) === true)) return undefined;
  // What is written behind the first part is covered by no signature, and a later member would win over an earlier one.
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
