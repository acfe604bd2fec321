import { once } from 'node:events';
import type { RunningProcess } from './process.ts';
import { until } from './until.ts';

/** The value of NODE_OPTIONS that opens the inspector of a program, at a free port. */
export const INSPECTED = '--inspect=127.0.0.1:0';

/** A connection to the inspector of a Node program. Close it before the program ends, since Node waits for that. */
export interface Inspector extends Disposable {
  /** Has all garbage collected. @returns the bytes that are then in use, on the heap and in buffers outside it */
  collect(): Promise<number>;
}

/** Connects to a program that runs with {@link INSPECTED}. */
export async function connectInspector(program: RunningProcess): Promise<Inspector> {
  const socket = new WebSocket(await addressOf(program));
  const closed = new AbortController();
  socket.addEventListener('close', () => closed.abort());
  await once(socket, 'open', closed);
  const call = async (method: string, params: object = {}): Promise<unknown> => {
    const answer = once(socket, 'message', closed);
    socket.send(JSON.stringify({ id: 1, method, params }));
    const [{ data }] = (await answer) as [{ data: string }];
    return JSON.parse(data);
  };
  return {
    collect: async () => {
      await call('HeapProfiler.collectGarbage');
      return bytesIn(await call('Runtime.evaluate', MEMORY_USAGE));
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

async function addressOf(program: RunningProcess): Promise<string> {
  return until('the inspector listens', () => /ws:\S+/.exec(program.stderr())?.[0]);
}

const MEMORY_USAGE = { expression: 'process.memoryUsage()', returnByValue: true };

function bytesIn(answer: unknown): number {
  const { heapUsed, external } = (answer as { result: { result: { value: NodeJS.MemoryUsage } } }).result
    .result.value;
  return heapUsed + external;
}
