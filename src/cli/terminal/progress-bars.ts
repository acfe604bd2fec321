import type { ProgressReport } from '../../api/contract/jobs.ts';
import { shortSize } from './short-size.ts';

/** Formats how far a job has come: `1.2 GiB of 3 GiB, 17 blobs`. */
export function formatProgress({ done, total, unit, note }: ProgressReport): string {
  const amount = (n: number): string => (unit === 'bytes' ? shortSize(n) : String(n));
  const of = total === undefined ? '' : ` of ${amount(total)}`;
  return `${amount(done)}${of}${note === undefined ? '' : `, ${note}`}`;
}

/** The size of a terminal. */
export interface Screen {
  readonly rows?: number;
  readonly columns?: number;
}

const BAR = 24;

/**
 * Draws how far a job has come: a line for the whole, and a bar for each part that is under way, as far as the screen
 * has room.
 */
export function progressBars(
  progress: ProgressReport,
  { rows = 24, columns = 80 }: Screen,
): readonly string[] {
  const { unit, parts = [] } = progress;
  const amount = (n: number): string => (unit === 'bytes' ? shortSize(n) : String(n));
  const shown = parts.slice(0, Math.max(0, rows - 3));
  const bars = shown.map(
    ({ name, done, total }) => `${shortName(name)}  ${bar(done, total)}  ${amount(done)} of ${amount(total)}`,
  );
  const rest = parts.length - shown.length;
  const lines = [formatProgress(progress), ...bars, ...(rest > 0 ? [`and ${rest} more`] : [])];
  return lines.map((line) => line.slice(0, Math.max(1, columns - 1)));
}

function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR : Math.floor((BAR * Math.min(done, total)) / total);
  return `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}]`;
}

/** Shortens a digest to what people compare by eye. */
function shortName(name: string): string {
  return name.replace(/^(sha\d+:[0-9a-f]{12})[0-9a-f]+$/, '$1');
}

/** Lines on a terminal that are drawn again in place. */
export class LiveLines {
  readonly #terminal: { write(text: string): unknown };
  #drawn = 0;

  constructor(terminal: { write(text: string): unknown }) {
    this.#terminal = terminal;
  }

  show(lines: readonly string[]): void {
    this.#terminal.write(`${this.#back()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawn = lines.length;
  }

  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(this.#back());
    this.#drawn = 0;
  }

  /** Moves to the first line that was drawn, and erases from there to the end of the screen (ECMA-48, CPL and ED). */
  #back(): string {
    return this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F\u001B[0J`;
  }
}
