import { z } from 'zod';
import { section } from './section.ts';

/** `log`: the lines on standard output. */
export const log = () =>
  section({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .prefault('info')
      .describe('The least severe lines that are written.'),
    format: z
      .enum(['auto', 'json', 'pretty'])
      .prefault('auto')
      .describe('`auto`: pretty on a terminal, JSON elsewhere.'),
  })
    .prefault({})
    .describe('What is written to the standard output.');
