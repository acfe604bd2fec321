/** An upload, as the name of its file tells it: so it outlives the process without a record beside it. */
export interface UploadName {
  readonly id: string;
  /** Bytes of the whole bundle. */
  readonly size: number;
  /** What tells the bundle from others: 64 hex digits that its sender has chosen. */
  readonly fingerprint: string;
}

const NAME = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})\.([a-f0-9]{64})$/;

/** Whether a text may be the fingerprint of a bundle. */
export function isFingerprint(text: string): boolean {
  return /^[a-f0-9]{64}$/.test(text);
}

export function formatUploadName({ id, size, fingerprint }: UploadName): string {
  return `${id}.${size}.${fingerprint}`;
}

/** Reads the name of a file; undefined if it is no upload's. */
export function parseUploadName(name: string): UploadName | undefined {
  const [, id = '', size = '', fingerprint = ''] = NAME.exec(name) ?? [];
  return id === '' ? undefined : { id, size: Number(size), fingerprint };
}
