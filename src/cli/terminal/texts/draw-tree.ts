/** A line with the lines below it. */
export interface TreeLine {
  readonly text: string;
  readonly below: readonly TreeLine[];
}

/** Draws a tree with one line for each node. */
export function drawTree({ text, below }: TreeLine): string {
  return [text, ...below.flatMap((line, position) => drawBranch(line, position === below.length - 1))].join(
    '\n',
  );
}

function drawBranch(line: TreeLine, isLast: boolean): string[] {
  const [first = '', ...rest] = drawTree(line).split('\n');
  return [`${isLast ? '└─' : '├─'} ${first}`, ...rest.map((each) => `${isLast ? '  ' : '│ '} ${each}`)];
}
