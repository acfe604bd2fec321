/**
 * Gives the memory of bytes back that nobody will look at again, where all of it is theirs: to leave it to the
 * garbage collector costs a full collection for every few MB that arrive.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
