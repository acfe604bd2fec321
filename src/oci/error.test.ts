import { describe, expect, it } from 'vitest';
import { RegistryError } from './error.ts';

describe('RegistryError', () => {
  it('carries code, detail and cause', () => {
    const cause = new Error('why');
    const error = new RegistryError('DENIED', 'no', { detail: { a: 1 }, cause });
    expect(error).toMatchObject({
      name: 'RegistryError',
      code: 'DENIED',
      message: 'no',
      detail: { a: 1 },
      cause,
    });
  });
});
