import { describe, expect, it } from 'vitest';
import { formatProgress, LiveLines, progressBars } from './progress-bars.ts';

const DIGEST = `sha256:${'0123456789ab'.repeat(5)}0123`;
const MIB = 1024 ** 2;

describe('formatProgress', () => {
  it.each([
    [{ done: 3, unit: 'items' }, '3'],
    [{ done: MIB, total: 3 * MIB, unit: 'bytes' }, '1.00 MiB of 3.00 MiB'],
    [{ done: 0, total: 5, unit: 'items', note: 'blobs' }, '0 of 5, blobs'],
  ] as const)('of %j', (progress, text) => {
    expect(formatProgress(progress)).toBe(text);
  });
});

describe('progressBars', () => {
  const progress = {
    done: 2 * MIB,
    total: 4 * MIB,
    unit: 'bytes' as const,
    note: '0 of 1 images',
    parts: [
      { name: DIGEST, done: 0, total: 2 * MIB },
      { name: DIGEST, done: MIB, total: 2 * MIB },
      { name: 'a part', done: 0, total: 0 },
    ],
  };

  it('draws the whole, and each part that is under way', () => {
    expect(progressBars(progress, { rows: 24, columns: 100 })).toEqual([
      '2.00 MiB of 4.00 MiB, 0 of 1 images',
      'sha256:0123456789ab  [                        ]  0 B of 2.00 MiB',
      'sha256:0123456789ab  [============            ]  1.00 MiB of 2.00 MiB',
      'a part  [========================]  0 B of 0 B',
    ]);
  });

  it('never fills the screen, since lines that wrap or scroll cannot be drawn again', () => {
    const lines = progressBars(progress, { rows: 5, columns: 30 });
    expect(lines).toHaveLength(4);
    expect(lines.at(-1)).toBe('and 1 more');
    for (const line of lines) expect(line.length).toBeLessThan(30);
    expect(progressBars(progress, { rows: 1, columns: 0 })).toHaveLength(2);
  });
});

describe('LiveLines', () => {
  it('draws over what it has drawn, and leaves nothing when it is cleared', () => {
    const written: string[] = [];
    const lines = new LiveLines({ write: (text) => written.push(text) });
    lines.clear();
    lines.show(['a', 'b']);
    lines.show(['c']);
    lines.clear();
    lines.clear();
    expect(written).toEqual(['a\nb\n', '\u001B[2F\u001B[0Jc\n', '\u001B[1F\u001B[0J']);
  });
});
