/** Bytes of one block. A connection has two of them in turn, or a third while both are in use. */
const BLOCK_BYTES = 512 * 1024;

/** Least room for one read: a smaller rest of a block is left unused. */
const LEAST_ROOM = 64 * 1024;

interface Block {
  readonly memory: Uint8Array;
  /** Bytes that were read into it, from its first on. */
  used: number;
  /** Parts that were lent and are not given back. */
  lent: number;
}

/**
 * The memory that one connection reads into, again and again. A read only ever gets memory behind all that was read
 * before, or a block of which every part was given back. So no byte changes that a write or a hash may still read, also
 * if reads go on after the connection was paused: then there is another block.
 */
export class ReadMemory {
  /** All blocks. It holds none of them: the parts of an answer that was not read to its end are never given back. */
  readonly #blocks = new WeakMap<ArrayBufferLike, Block>();
  readonly #free: Block[] = [];
  #current: Block = this.#newBlock();

  /** Returns the memory for the next read. */
  room(): Uint8Array {
    if (BLOCK_BYTES - this.#current.used < LEAST_ROOM) this.#turn();
    const { memory, used } = this.#current;
    return memory.subarray(used);
  }

  /** Notes that a read has put bytes into the room. @returns them */
  filled(bytes: number): Uint8Array {
    const { memory, used } = this.#current;
    this.#current.used += bytes;
    return memory.subarray(used, used + bytes);
  }

  /** Notes that a part of what was read is in use until it is given back. */
  lend(part: Uint8Array): void {
    const block = this.#blocks.get(part.buffer);
    if (block !== undefined) block.lent += 1;
  }

  /** Takes parts back that were lent: their bytes may change from now on. */
  giveBack(parts: readonly Uint8Array[]): void {
    for (const { buffer } of parts) {
      const block = this.#blocks.get(buffer);
      if (block === undefined) continue;
      block.lent -= 1;
      if (block.lent === 0 && block !== this.#current) this.#free.push(block);
    }
  }

  #turn(): void {
    const full = this.#current;
    this.#current = this.#free.pop() ?? this.#newBlock();
    this.#current.used = 0;
    if (full.lent === 0) this.#free.push(full);
  }

  #newBlock(): Block {
    const memory = new Uint8Array(BLOCK_BYTES);
    const block = { memory, used: 0, lent: 0 };
    this.#blocks.set(memory.buffer, block);
    return block;
  }
}
