import type { Fault } from '../support/scripted-reply.ts';
import type { Cell, Column } from './cell.ts';
import type { World, WorldOptions } from './world.ts';

/** `start`: before anything is asked. `half`: half of the layer is here, and the transfer goes on or breaks. */
type Moment = 'start' | 'half';

/** What is expected in each column. `undefined`: the fault cannot meet that request. */
export type Cells = Readonly<Record<Column, Cell | undefined>>;

/** One fault: a row of the matrix. */
export interface Row {
  readonly name: string;
  /** What every error and every Warning says of it, in one of these ways. None: nobody is told of it. */
  readonly says: readonly string[];
  readonly world?: WorldOptions;
  /** The objects are cached before. */
  readonly isWarm?: true;
  /** Makes it happen, from now on. */
  strike(world: World, when: Moment): void | Promise<void>;
  /** What becomes of the transfer that runs when it strikes at half; absent: it breaks, and the fault meets what follows. */
  readonly running?: readonly Fault[];
  /** What that transfer goes by; absent: the registry's own answer. */
  readonly carrier?: 'storage';
  /** That transfer neither goes on nor breaks. */
  readonly isSilent?: true;
  /** What is sent are not the bytes asked for. */
  readonly isForeign?: true;
  readonly cells: Cells;
}

/** Rows of one kind. */
export interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
}
