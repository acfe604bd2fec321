import type { Fault } from '../support/scripted-reply.ts';
import type { Cell, Column } from './cell.ts';
import type { World, WorldOptions } from './world.ts';

/** `start`: before the client asks. `half`: when half of the layer is here; the transfer then continues or breaks. */
type Moment = 'start' | 'half';

/** The expected result in each column; undefined if the fault cannot affect that request. */
export type Cells = Readonly<Record<Column, Cell | undefined>>;

/** One fault: a row of the matrix. */
export interface Row {
  readonly name: string;
  /** Texts of which every error and every Warning contains one. Empty: the fault causes neither. */
  readonly says: readonly string[];
  readonly world?: WorldOptions;
  /** Whether the objects are cached before the fault strikes. */
  readonly isWarm?: true;
  /** Begins the fault. */
  strike(world: World, when: Moment): void | Promise<void>;
  /**
   * What happens to the transfer that runs when the fault strikes at `half`. Absent: the transfer breaks, and the fault
   * affects the requests after it.
   */
  readonly running?: readonly Fault[];
  /** The kind of request whose answer carries that transfer. Absent: the registry itself answers with the blob. */
  readonly carrier?: 'storage';
  /** Whether that transfer neither continues nor breaks. */
  readonly isSilent?: true;
  /** Whether upstream sends other bytes than those that were asked for. */
  readonly isForeign?: true;
  readonly cells: Cells;
}

/** The faults of one kind. */
export interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
}
