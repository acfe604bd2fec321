/** The index could not do its work (disk full, I/O error, no permission). What is on disk is not to blame. */
export class IndexError extends Error {
  override readonly name: string = 'IndexError';
  /** What the engine calls it: `SQLITE_FULL`, `SQLITE_READONLY`, ... */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The index's file is not an index, or no longer: it has to be set aside and built anew. */
export class IndexDamagedError extends IndexError {
  override readonly name = 'IndexDamagedError';
}

/** The index was written by a newer Larder, whose schema this one does not know. */
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
