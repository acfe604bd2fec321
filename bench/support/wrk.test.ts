import { describe, expect, it } from 'vitest';
import { p50Of, p99Of, parseWrk } from './wrk.ts';

const result = {
  requests: 3000,
  bytes: 123,
  microseconds: 1_500_000,
  failed: 0,
  latencies: [
    [250, 2900],
    [1500, 90],
    [9000, 10],
  ],
};

describe('the output of wrk', () => {
  it('is read from the line of its script', () => {
    const output = `Running 1s test\n  1 threads\n\n${JSON.stringify(result)}\n`;
    expect(parseWrk(output)).toEqual({
      requests: 3000,
      requestsPerSecond: 2000,
      bytes: 123,
      latencies: result.latencies,
      p99Ms: 1.5,
    });
  });

  it('is refused if requests failed: an error is answered faster than content', () => {
    expect(() => parseWrk(JSON.stringify({ ...result, failed: 7 }))).toThrow('7 of 3000 requests failed');
  });

  it('of several seconds has one p99 and one median', () => {
    const latencies = [
      [9000, 1],
      [10, 50],
      [20, 48],
      [3000, 1],
    ] as const;
    expect(p99Of(latencies)).toBe(3);
    expect(p50Of(latencies)).toBe(0.01);
    expect(p99Of([[7000, 1]])).toBe(7);
    expect(p99Of([])).toBeNaN();
  });

  it('is refused without the line of its script', () => {
    expect(() => parseWrk('unable to connect')).toThrow('unable to connect');
  });
});
