import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SealedCursors } from './sealed-cursor.ts';

describe('SealedCursors', () => {
  const cursors = new SealedCursors(randomBytes);

  test.each(['ghcr.io/acme/secret', '', 'x'.repeat(500)])('%j comes back, and cannot be read', (position) => {
    const sealed = cursors.seal(position);
    expect(sealed).toMatch(/^\*[\w-]+$/);
    expect(Buffer.from(sealed.slice(1), 'base64url').toString('latin1')).not.toContain('secret');
    expect(cursors.open(sealed)).toBe(position);
  });

  test('a position that the client has chosen itself stays as it is', () => {
    expect(cursors.open('ghcr.io/acme/app')).toBe('ghcr.io/acme/app');
  });

  test.each([
    ['another process', new SealedCursors(randomBytes).seal('ghcr.io/acme/app')],
    ['a client', '*abc'],
    ['a client, empty', '*'],
    ['a client that changed it', `${cursors.seal('ghcr.io/acme/app').slice(0, -2)}AA`],
  ])('what was sealed by %s: begin anew', (_, cursor) => {
    expect(() => cursors.open(cursor)).toThrow(
      expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }),
    );
  });
});
