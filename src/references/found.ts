import { RegistryError } from '../oci/error.ts';
import { parseImageReference, type ImageReference } from '../oci/image-reference.ts';

/** Where a text stands: the file as the user named it, and the line, counted from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
}

export interface FoundImage {
  readonly image: ImageReference;
  /** The reference with its variables replaced, otherwise as it is written. */
  readonly text: string;
  readonly place: FilePlace;
  /** The platforms that the file asks for, such as `linux/arm64`; absent if it leaves the choice to the reader. */
  readonly platforms?: readonly string[];
}

/** What should name an image, but which image cannot be told from the file. */
export interface UnresolvedImage {
  readonly text: string;
  readonly place: FilePlace;
  /** A clause such as `ARG VERSION has no default`. */
  readonly reason: string;
}

/** What the reader should know about a part of the file that was left out on purpose. */
export interface Note {
  readonly place: FilePlace;
  readonly message: string;
}

/** The images that a file names, in the order of the file. The same image may stand there more than once. */
export interface References {
  readonly images: readonly FoundImage[];
  readonly unresolved: readonly UnresolvedImage[];
  readonly notes: readonly Note[];
}

/** Collects the references of one file. */
export class Findings implements References {
  readonly images: FoundImage[] = [];
  readonly unresolved: UnresolvedImage[] = [];
  readonly notes: Note[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds a reference whose variables are replaced; a text that is no reference is unresolved. */
  add(text: string, line: number, platforms: readonly string[] = []): void {
    try {
      const image = parseImageReference(text);
      this.images.push({ image, text, place: this.#at(line), ...(platforms.length > 0 && { platforms }) });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.miss(text, line, error.message);
    }
  }

  miss(text: string, line: number, reason: string): void {
    this.unresolved.push({ text, place: this.#at(line), reason });
  }

  note(line: number, message: string): void {
    this.notes.push({ place: this.#at(line), message });
  }

  #at(line: number): FilePlace {
    return { file: this.#file, line };
  }
}
