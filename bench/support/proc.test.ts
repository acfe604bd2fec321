import { describe, expect, it } from 'vitest';
import { parseResident, parseStat, parseWritten, usageOf } from './proc.ts';

const after = 'S 1 1 1 0 -1 4194560 23 0 0 0 150 50 7 3 20 0 11 0 300 1000 200';

describe('a line of /proc/PID/stat', () => {
  it.each(['node', 'a b', 'a) S 1 (b', ''])('is read past the name (%s)', (name) => {
    expect(parseStat(`42 (${name}) ${after}`)).toEqual({ ticks: 200 });
  });

  it('is refused where it is something else', () => {
    expect(() => parseStat('no such thing')).toThrow('not a line of /proc/PID/stat');
  });
});

describe('/proc/PID/status', () => {
  it('tells the resident memory in bytes', () => {
    expect(parseResident('VmHWM:\t  900 kB\nVmRSS:\t  512 kB\nRssAnon:\t 1 kB\n')).toBe(512 * 1024);
  });

  it('is refused without it, as for a process that has ended', () => {
    expect(() => parseResident('State:\tZ (zombie)\n')).toThrow('no VmRSS');
  });
});

describe('/proc/PID/io', () => {
  it('tells what was written', () => {
    expect(parseWritten('rchar: 5\nwchar: 1234567\nsyscr: 1\n')).toBe(1234567);
  });

  it('is refused without it', () => {
    expect(() => parseWritten('')).toThrow('no wchar');
  });
});

describe('the usage of this process', () => {
  it('is close to what Node itself says', async () => {
    const { cpuSeconds, residentBytes } = await usageOf(process.pid);
    const own = process.cpuUsage();
    expect(residentBytes).toBeGreaterThan(10 * 1024 * 1024);
    expect(cpuSeconds).toBeGreaterThan(((own.user + own.system) / 1e6) * 0.5);
  });
});
