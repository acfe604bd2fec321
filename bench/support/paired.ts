import type { Samples } from './bench.ts';
import type { Server } from './server.ts';

/** What one round of one contestant gives, by metric. */
export type Round = Readonly<Record<string, number>>;

/**
 * Measures the servers in turn, A B A B …, so that whatever else the machine does in the meantime falls on all alike.
 * @param measure is given the number of the round as well, from 0.
 */
export async function paired(
  servers: readonly Server[],
  rounds: number,
  measure: (server: Server, round: number) => Promise<Round>,
): Promise<Samples> {
  const samples: Record<string, Record<string, number[]>> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) {
      for (const [metric, value] of Object.entries(await measure(server, round))) {
        ((samples[metric] ??= {})[server.name] ??= []).push(value);
      }
    }
  }
  return samples;
}
