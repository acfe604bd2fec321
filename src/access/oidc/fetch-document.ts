/** A request for a document of an issuer. */
interface DocumentRequest {
  readonly url: URL;
  /** The header Authorization. */
  readonly authorization?: string | undefined;
  /** Most bytes of the document. */
  readonly maxBytes: number;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

export interface FetchedDocument {
  readonly bytes: Uint8Array;
  /** The header Cache-Control. */
  readonly cacheControl: string | undefined;
}

/**
 * Fetches a document by GET and follows no redirect: an issuer's word on where its keys are is its discovery document.
 * @throws IssuerError if the answer is none with status 200, or longer than `maxBytes`; else the network's error, or the
 *   signal's reason
 */
export type FetchDocument = (request: DocumentRequest) => Promise<FetchedDocument>;
