/** Where Larder runs. */
export interface HostPlatform {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** sendfile(2), and what it takes to use it beside Node. Linux. */
export interface Sendfile {
  /**
   * Sends bytes `[position, position + count)` of a file to a non-blocking socket, outside of the event loop.
   * @returns how many bytes the socket took; 0 or less where it takes none now, or the file gives none. Why is not
   *   said: an ordinary read and write of what is next tells it.
   */
  readonly send: (socket: number, file: number, position: number, count: number) => Promise<number>;
  /**
   * Another descriptor of what a descriptor stands for, which stays that whatever becomes of the first one.
   * @returns undefined where there is none left
   */
  readonly duplicate: (descriptor: number) => number | undefined;
  /** Closes what `duplicate` gave. */
  readonly close: (descriptor: number) => void;
  /** How many bytes the system holds that the socket's client has not got yet; undefined where it does not tell. */
  readonly unsent: (socket: number) => number | undefined;
}
