import { isJsonObject, type JsonObject } from '../../oci/documents/json.ts';
import { IssuerError } from './issuer-error.ts';

/**
 * Reads a JSON object from UTF-8.
 * @param what names the document in the error
 * @throws IssuerError
 */
export function readJson(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new IssuerError(`${what} is no JSON`, { cause: error });
  }
  if (isJsonObject(value)) return value;
  throw new IssuerError(`${what} is no JSON object`);
}
