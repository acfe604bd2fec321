/** The media types that a client accepts. */
export interface ManifestPreference {
  readonly accepts: (mediaType: string) => boolean;
  /** Whether the client knows single images only: when its tag is an index, it gets the linux/amd64 child. */
  readonly wantsSingleImage: boolean;
}
