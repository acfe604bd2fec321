/**
 * Releases the memory of bytes that will not be read again, if they share it with no others: to leave it to the garbage
 * collector costs a full collection for every few MB that arrive.
 */
export function releaseMemory({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
