/** What a client can take. */
export interface ManifestPreference {
  readonly accepts: (mediaType: string) => boolean;
  /** The client knows single images only: of an index, asked for by tag, it gets the linux/amd64 child. */
  readonly wantsSingleImage: boolean;
}
