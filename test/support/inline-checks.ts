import { CHECKS } from '../../src/access/verification/checks.ts';
import type { SlowChecks } from '../../src/access/verification/slow-checks.ts';

/** Runs the checks in the test's own thread. */
export const inlineChecks: SlowChecks = {
  comparePassword: (password, hash) => CHECKS.comparePassword(password, hash),
  checkJwt: (token, expected) => CHECKS.checkJwt(token, expected),
};
