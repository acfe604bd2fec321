/** The index could not do its work (disk full, I/O error, no permission), though its file is sound. */
export class IndexError extends Error {
  override readonly name: string = 'IndexError';
  /** The engine's own code: `SQLITE_FULL`, `SQLITE_READONLY`, ... */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The index's file is not an index, or is broken: it must be set aside and built anew. */
export class IndexDamagedError extends IndexError {
  override readonly name = 'IndexDamagedError';
}

/** A newer Larder, whose schema this one does not know, wrote the index. */
export class IndexVersionError extends IndexError {
  override readonly name = 'IndexVersionError';
  readonly found: number;
  readonly known: number;

  constructor(path: string, found: number, known: number) {
    super(
      `${path} has schema version ${found}; this Larder knows versions up to ${known}: ` +
        'run the newer Larder, or give this one another cache directory',
      'VERSION',
    );
    this.found = found;
    this.known = known;
  }
}
