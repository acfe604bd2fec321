import { describe, expect, it } from 'vitest';
import { parseWrk } from './wrk.ts';

const result = { requests: 3000, bytes: 123, microseconds: 1_500_000, failed: 0, p50: 250, p99: 1500 };

describe('what wrk prints', () => {
  it('is read from the line of its script', () => {
    const output = `Running 1s test\n  1 threads\n\n${JSON.stringify(result)}\n`;
    expect(parseWrk(output)).toEqual({
      requests: 3000,
      requestsPerSecond: 2000,
      bytes: 123,
      p50Ms: 0.25,
      p99Ms: 1.5,
    });
  });

  it('is refused where requests failed: an error is answered faster than content', () => {
    expect(() => parseWrk(JSON.stringify({ ...result, failed: 7 }))).toThrow('7 of 3000 requests failed');
  });

  it('is refused without that line', () => {
    expect(() => parseWrk('unable to connect')).toThrow('unable to connect');
  });
});
