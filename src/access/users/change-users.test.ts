import { describe, expect, it } from 'vitest';
import { passwordProblem } from './change-users.ts';

describe('a new password', () => {
  it.each(['secret', 'a', 'with a space', 'пароль', 'a:b', 'correct.horse.battery', 'é'.repeat(36), '🙂'])(
    'may be %j',
    (password) => expect(passwordProblem(password)).toBeUndefined(),
  );

  it.each([
    ['', 'the password is empty'],
    ['é'.repeat(37), 'the password has 74 bytes: bcrypt reads at most 72'],
    ['a\tb', 'the password contains a control character'],
    ['a\0b', 'the password contains a control character'],
    ['\ud800', 'the password is no valid text'],
    [`larder_0123456789ab_${'x'.repeat(43)}`, 'the password has the form of a token'],
  ])('may not be %j', (password, problem) => {
    expect(passwordProblem(password)).toBe(problem);
  });
});
