import * as fc from 'fast-check';

/** The longest header line that `headerLines` lets through. */
const LONGEST_LINE = 8192;

const WORDS = ['a', 'Bearer', 'bytes', 'q', 'rel', 'next', 'W/', '0', '9', 'é', '\u{1f512}', '=="', '\\"'];

/** Parts that header grammars are made of, and characters that they do not have. */
const PARTS = [...WORDS, ...' \t,;="\\/*-:<>?&%\0\n'.split('')];

/** Header lines that nearly follow some grammar. */
const oddLine = fc.array(fc.constantFrom(...PARTS), { maxLength: 40 }).map((parts) => parts.join(''));

/** A few parts over and over, up to the longest line, which makes careless patterns backtrack. */
const longLine = fc
  .tuple(oddLine, fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }), oddLine)
  .map(([head, unit, tail]) => {
    const repeated = unit
      .join('')
      .repeat(LONGEST_LINE)
      .slice(0, LONGEST_LINE - head.length - tail.length);
    return head + repeated + tail;
  });

/** 100 kB of a few parts over and over. */
const hugeLine = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 })
  .map((unit) => unit.join('').repeat(100_000).slice(0, 100_000));

export const hostileLine = fc.oneof(oddLine, longLine, hugeLine);

/** The values that an HTTP library may return for a header. */
export const hostileHeader = fc.oneof(
  fc.constant(undefined),
  hostileLine,
  fc.array(oddLine, { maxLength: 50 }),
  longLine.map((line) => Array.from({ length: 10 }, () => line)),
);
