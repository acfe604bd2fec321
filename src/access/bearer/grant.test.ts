import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action } from '../action.ts';
import { CATALOG, placeName, type Grant } from '../identity.ts';
import { decideGrant, type Granting } from './grant.ts';
import { formatScope, meaningOf, parseScopes, type Scope } from './scope.ts';

const NAMES: Readonly<Record<string, { registry: string; repository: string }>> = {
  debian: { registry: 'docker.io', repository: 'library/debian' },
  'library/debian': { registry: 'docker.io', repository: 'library/debian' },
  'ghcr.io/acme/app': { registry: 'ghcr.io', repository: 'acme/app' },
};

/** Allows some actions by `registry/repository`. */
function granting(allowed: Readonly<Record<string, readonly Action[]>>, allowsCatalog = false): Granting {
  return {
    placeOf: (name) => NAMES[name],
    allows: (action, place) => allowed[placeName(place)]?.includes(action) === true,
    allowsCatalog,
  };
}

function plain(grant: Grant): Readonly<Record<string, readonly Action[]>> {
  return Object.fromEntries([...grant].map(([name, actions]) => [name, [...actions]]));
}

describe('decideGrant', () => {
  const decide = (asked: string, by: Granting): [Readonly<Record<string, readonly Action[]>>, string] => {
    const { grant, scopes } = decideGrant(parseScopes([asked]) ?? [], by);
    return [plain(grant), scopes.map(formatScope).join(' ')];
  };
  const all = granting({
    'docker.io/library/debian': ['pull', 'tags'],
    'ghcr.io/acme/app': ['pull', 'tags', 'push', 'delete', 'admin'],
  });

  it.each<[string, Granting, Readonly<Record<string, readonly Action[]>>, string]>([
    ['', all, {}, ''],
    [
      'repository:library/debian:pull',
      all,
      { 'docker.io/library/debian': ['pull', 'tags'] },
      'repository:library/debian:pull',
    ],
    [
      'repository:library/debian:pull,push',
      all,
      { 'docker.io/library/debian': ['pull', 'tags'] },
      'repository:library/debian:pull',
    ],
    [
      'repository:ghcr.io/acme/app:*',
      all,
      { 'ghcr.io/acme/app': ['pull', 'tags', 'push', 'delete'] },
      'repository:ghcr.io/acme/app:pull,push,delete',
    ],
    [
      'repository:ghcr.io/acme/app:push',
      all,
      { 'ghcr.io/acme/app': ['push'] },
      'repository:ghcr.io/acme/app:push',
    ],
    [
      'repository:debian:pull repository:library/debian:pull',
      all,
      { 'docker.io/library/debian': ['pull', 'tags'] },
      'repository:debian:pull repository:library/debian:pull',
    ],
    ['repository:unknown:pull', all, {}, ''],
    ['repository:library/debian:pull', granting({}), {}, ''],
    [
      'repository:library/debian:pull',
      granting({ 'docker.io/library/debian': ['tags'] }),
      { 'docker.io/library/debian': ['tags'] },
      '',
    ],
    ['registry:catalog:*', all, {}, ''],
    ['registry:catalog:*', granting({}, true), { [CATALOG]: ['tags'] }, 'registry:catalog:*'],
  ])('of %j', (asked, by, grant, scopes) => expect(decide(asked, by)).toEqual([grant, scopes]));

  it('never grants more than is allowed, nor more than is asked', () => {
    const actions = fc.subarray([...ACTIONS]);
    const allowed = fc.dictionary(fc.constantFrom(...Object.values(NAMES).map(placeName)), actions);
    const words = fc.subarray(['pull', 'push', 'delete', '*'] as const, { minLength: 1 });
    const scope = fc.oneof(
      fc.constant<Scope>({ kind: 'catalog' }),
      fc.record<Scope & { kind: 'repository' }>({
        kind: fc.constant('repository'),
        name: fc.constantFrom(...Object.keys(NAMES), 'unknown'),
        actions: words,
      }),
    );
    fc.assert(
      fc.property(fc.array(scope), allowed, fc.boolean(), (asked, rules, allowsCatalog) => {
        const { grant } = decideGrant(asked, granting(rules, allowsCatalog));
        const isAsked = (place: string, action: Action): boolean =>
          asked.some(
            (each) =>
              each.kind === 'repository' &&
              NAMES[each.name] !== undefined &&
              placeName(NAMES[each.name] ?? { registry: '', repository: '' }) === place &&
              meaningOf(each.actions).includes(action),
          );
        const expected = Object.entries(rules)
          .map(
            ([place, list]) => [place, list.filter((action) => isAsked(place, action)).toSorted()] as const,
          )
          .filter(([, list]) => list.length > 0);
        const { [CATALOG]: catalog, ...repositories } = plain(grant);
        const sorted = Object.entries(repositories).map(([place, list]) => [place, list.toSorted()] as const);
        expect(new Map(sorted)).toEqual(new Map(expected));
        expect(catalog !== undefined).toBe(allowsCatalog && asked.some(({ kind }) => kind === 'catalog'));
      }),
    );
  });
});
