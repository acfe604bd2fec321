import { RegistryError } from '../error.ts';

/**
 * Largest manifest: registries must accept it (distribution-spec, "Pushing Manifests"), and podman accepts no larger
 * one.
 */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Deepest nesting: real manifests nest five deep, and deeper ones attack the code that walks them. */
const MAX_DEPTH = 64;

/** Most members and elements in all: 4 MiB of real descriptors hold fewer, and this number costs little memory. */
const MAX_VALUES = 200_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** Makes the error of the functions that read manifests. */
export function manifestInvalid(message: string, cause?: unknown): RegistryError {
  return new RegistryError('MANIFEST_INVALID', message, { cause });
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses a JSON object from at most 4 MiB of UTF-8. Bounds its depth and its number of values before it builds anything
 * in memory.
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
    // Like Go's decoder, which most clients use: it refuses a byte order mark, and replaces bytes that are not UTF-8.
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

/** Checks the bounds in one pass over the bytes: in UTF-8, a byte of JSON's punctuation never means anything else. */
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

/** Returns the position of the quote that closes the string opened at `start`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    if (bytes[i] === BYTE.backslash) i++;
    else if (bytes[i] === BYTE.quote) return i;
  }
  return bytes.length;
}
