import { describe, expect, it } from 'vitest';
import type { AccessFailure } from './access-error.ts';
import { AccessError } from './access-error.ts';
import { NO_AUTHENTICATION } from './authentication.ts';
import { Gate } from './gate.ts';
import { CATALOG, placeName, type Identity } from './identity.ts';
import { openGate } from '../../test/support/open-gate.ts';
import { ANONYMOUS } from './principal.ts';
import { Rules, type Rule } from './rules/rules.ts';

const APP = { registry: 'ghcr.io', repository: 'acme/app' };
const DEBIAN = { registry: 'docker.io', repository: 'library/debian' };
const OTHER = { registry: 'ghcr.io', repository: 'other/app' };

const ALICES: Rule = {
  repositories: ['ghcr.io/acme/**'],
  who: [{ kind: 'user', name: 'alice' }],
  allow: ['pull'],
};
const OPEN: Rule = { repositories: ['docker.io/**'], who: [{ kind: 'anonymous' }], allow: ['pull', 'tags'] };

const NOT_KNOWN: Identity = { principal: ANONYMOUS };
const ALICE: Identity = { principal: { kind: 'user', name: 'alice' } };
const BOB: Identity = { principal: { kind: 'user', name: 'bob' } };
/** Alice by a token for one repository. */
const PULLING: Identity = { ...ALICE, grant: new Map([[placeName(APP), new Set(['pull'] as const)]]) };

function gateOf(...rules: readonly Rule[]): Gate {
  return new Gate(new Rules(rules, new Map()), NO_AUTHENTICATION);
}

/** Returns the failure of a check, or undefined if it passes. */
function failureOf(check: () => unknown): AccessFailure | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AccessError) return error.failure;
    throw error;
  }
}

describe('assertAllowed, and allows', () => {
  const gate = gateOf(ALICES, OPEN);

  it.each<[string, Identity, typeof APP, AccessFailure | undefined]>([
    ['anonymous, where all may', NOT_KNOWN, DEBIAN, undefined],
    ['anonymous, where a user may', NOT_KNOWN, APP, 'no-credentials'],
    ['a user who may', ALICE, APP, undefined],
    ['a user who may not', BOB, APP, 'denied'],
    ['a token that was issued for it', PULLING, APP, undefined],
    ['a token that was issued for something else, where all may', PULLING, DEBIAN, 'insufficient-scope'],
    ['a token, where its principal may not', PULLING, OTHER, 'denied'],
  ])('%s', (_, identity, place, expected) => {
    expect(failureOf(() => gate.assertAllowed(identity, 'pull', place))).toBe(expected);
    expect(gate.allows(identity, 'pull', place)).toBe(expected === undefined);
  });

  it('lets no token of a repository read the metrics', () => {
    const open = openGate(['pull', 'metrics']);
    expect(open.allows(NOT_KNOWN, 'metrics', undefined)).toBe(true);
    expect(failureOf(() => open.assertAllowed(PULLING, 'metrics', undefined))).toBe('insufficient-scope');
  });
});

describe('assertPing', () => {
  const gate = gateOf(ALICES, OPEN);

  it.each<[string, Identity, string | undefined, AccessFailure | undefined]>([
    ['all registries', NOT_KNOWN, undefined, 'no-credentials'],
    ['a registry that is open', NOT_KNOWN, 'docker.io', undefined],
    ['a registry that is not', NOT_KNOWN, 'ghcr.io', 'no-credentials'],
    ['by a user, whatever the user may', BOB, undefined, undefined],
  ])('of %s', (_, identity, registry, expected) => {
    expect(failureOf(() => gate.assertPing(identity, registry))).toBe(expected);
  });
});

describe('assertMayLearn', () => {
  it.each<[string, Gate, Identity, AccessFailure | undefined]>([
    ['anonymous, closed', gateOf(ALICES, OPEN), NOT_KNOWN, 'no-credentials'],
    ['a user, closed', gateOf(ALICES, OPEN), BOB, undefined],
    ['anonymous, open', openGate(['pull']), NOT_KNOWN, undefined],
  ])('%s', (_, gate, identity, expected) => {
    expect(failureOf(() => gate.assertMayLearn(identity))).toBe(expected);
  });
});

describe('shownInCatalog', () => {
  const shown = (gate: Gate, identity: Identity): readonly string[] =>
    [APP, DEBIAN, OTHER].filter(gate.shownInCatalog(identity) ?? (() => false)).map(placeName);

  it('is what the client may pull or list', () => {
    const gate = gateOf(ALICES, { ...OPEN, allow: ['tags'] });
    expect(shown(gate, ALICE)).toEqual([placeName(APP), placeName(DEBIAN)]);
    expect(shown(gate, NOT_KNOWN)).toEqual([placeName(DEBIAN)]);
  });

  it('is nothing for a user whom no rule means, and without credentials these are missing', () => {
    expect(gateOf(ALICES).shownInCatalog(BOB)).toBeUndefined();
    expect(failureOf(() => gateOf(ALICES).shownInCatalog(NOT_KNOWN))).toBe('no-credentials');
  });

  it('needs a token that was issued for the catalog', () => {
    const gate = gateOf(ALICES, OPEN);
    expect(failureOf(() => gate.shownInCatalog(PULLING))).toBe('insufficient-scope');
    const grant = new Map([[CATALOG, new Set(['tags'] as const)]]);
    expect(shown(gate, { ...ALICE, grant })).toEqual([placeName(APP), placeName(DEBIAN)]);
  });
});
