import { shortSize } from './short-size.ts';

/** Returns a function that prints each further tenth of some work in bytes, for people who wait. @param verb in the past */
export function printTenths(verb: string): (done: number, total: number) => void {
  let tenth = 0;
  return (done, total) => {
    const now = Math.floor((10 * done) / Math.max(1, total));
    if (now <= tenth) return;
    tenth = now;
    console.error(`${verb} ${shortSize(done)} of ${shortSize(total)}`);
  };
}
