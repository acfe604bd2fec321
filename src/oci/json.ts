import { RegistryError } from './error.ts';

/** What registries must take and clients take at most (distribution-spec, "Pushing Manifests"; podman's limit). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Real manifests nest five deep; more is an attack on whoever walks them. */
const MAX_DEPTH = 64;

/** Members and elements in all: above what 4 MiB of real descriptors hold, below what costs real memory. */
const MAX_VALUES = 200_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The error of everything that reads a manifest. */
export function manifestInvalid(message: string, cause?: unknown): RegistryError {
  return new RegistryError('MANIFEST_INVALID', message, { cause });
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A JSON object from at most 4 MiB of UTF-8, with its depth and its number of values bounded before anything
 * is built in memory.
 * @throws RegistryError MANIFEST_INVALID
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw manifestInvalid(`${bytes.length} bytes are too many: at most ${MAX_MANIFEST_BYTES}`);
  }
  requireBounded(bytes);
  const value = parseJson(bytes);
  if (!isJsonObject(value)) throw manifestInvalid('not a JSON object');
  return value;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    // As Go's decoder, which most clients use: it refuses a byte order mark, and reads over what is not UTF-8.
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw manifestInvalid('not JSON', error);
  }
}

const BYTE = {
  quote: 0x22,
  comma: 0x2c,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** One pass over the bytes; every byte of JSON's punctuation is itself in UTF-8. */
function requireBounded(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case BYTE.quote:
        i = endOfString(bytes, i);
        break;
      case BYTE.comma:
        values++;
        break;
      case BYTE.openBracket:
      case BYTE.openBrace:
        values++;
        depth++;
        break;
      case BYTE.closeBracket:
      case BYTE.closeBrace:
        depth--;
        break;
      default:
    }
    if (depth > MAX_DEPTH) throw manifestInvalid(`nested more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw manifestInvalid(`more than ${MAX_VALUES} values`);
  }
}

/** Position of the quote that closes the string opened at `start`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    if (bytes[i] === BYTE.backslash) i++;
    else if (bytes[i] === BYTE.quote) return i;
  }
  return bytes.length;
}
