/** The platform that Larder runs on. */
export interface HostPlatform {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** Linux' sendfile(2), and the calls that its use beside Node needs. */
export interface Sendfile {
  /**
   * Sends bytes `[position, position + count)` of a file to a non-blocking socket, outside of the event loop.
   * @returns how many bytes the socket took; 0 or less if it takes none now, or the file gives none. It does not tell
   *   why: an ordinary read and write of the next bytes does.
   */
  readonly send: (socket: number, file: number, position: number, count: number) => Promise<number>;
  /**
   * Duplicates a descriptor (dup(2)), so that the file or socket stays open when the first descriptor is closed.
   * @returns undefined if no descriptor is left
   */
  readonly duplicate: (descriptor: number) => number | undefined;
  /** Closes a descriptor that `duplicate` returned. */
  readonly close: (descriptor: number) => void;
  /** Returns the number of bytes that the socket's client has not got yet; undefined if the system does not tell. */
  readonly unsent: (socket: number) => number | undefined;
}
