/** A change of the file system that a power failure may undo. Files have numbers, which renames do not change. */
export type Change =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'sync-directory'; readonly path: string };

/** A change that has begun, has been made, or was refused; or a message between the program and its caller. */
export type LogEntry<Message> =
  | { readonly phase: 'begin'; readonly step: number; readonly change: Change }
  | { readonly phase: 'end' | 'failed'; readonly step: number }
  | { readonly phase: 'told'; readonly message: Message };

/** The changes to a directory's files and the messages about them, in their order. */
export class DiskLog<Message> {
  readonly entries: LogEntry<Message>[] = [];
  /** Returns the error with which the disk refuses a change; undefined: it makes the change. */
  refuse: (change: Change) => Error | undefined = () => undefined;
  #steps = 0;
  #files = 0;

  newFile(): number {
    return this.#files++;
  }

  tell(message: Message): void {
    this.entries.push({ phase: 'told', message });
  }

  async during<T>(changes: readonly Change[], work: () => Promise<T>): Promise<T> {
    const begun = changes.map((change) => this.#begin(change));
    const end = (phase: 'end' | 'failed'): void => {
      for (const step of begun) this.entries.push({ phase, step });
    };
    try {
      const refusal = changes.map(this.refuse).find((error) => error !== undefined);
      if (refusal !== undefined) throw refusal;
      const result = await work();
      end('end');
      return result;
    } catch (error) {
      end('failed');
      throw error;
    }
  }

  #begin(change: Change): number {
    const step = this.#steps++;
    this.entries.push({ phase: 'begin', step, change });
    return step;
  }
}
