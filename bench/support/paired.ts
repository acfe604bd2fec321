import type { Samples } from './bench.ts';
import type { Contestant } from './server.ts';

/** The values of one round of one contestant, by metric. */
export type Round = Readonly<Record<string, number>>;

/**
 * Measures the contestants in turn, A B B A …, so that other work of the machine falls on all alike. So do the
 * effects that the first of a round has on the second: data that it has read from the disk, or that the system has
 * still to write for it.
 * @param measure gets the number of the round as well, from 0
 */
export async function paired(
  contestants: readonly Contestant[],
  rounds: number,
  measure: (contestant: Contestant, round: number) => Promise<Round>,
): Promise<Samples> {
  const samples: Record<string, Record<string, number[]>> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      for (const [metric, value] of Object.entries(await measure(contestant, round))) {
        ((samples[metric] ??= {})[contestant.name] ??= []).push(value);
      }
    }
  }
  return samples;
}
