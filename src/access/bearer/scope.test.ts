import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScope, MAX_SCOPES, meaningOf, parseScopes } from './scope.ts';

function written(...parameters: readonly string[]): readonly string[] | undefined {
  return parseScopes(parameters)?.map(formatScope);
}

describe('parseScopes', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['nothing', [], []],
    ['an empty parameter', [''], []],
    ['one', ['repository:library/debian:pull'], ['repository:library/debian:pull']],
    ['actions', ['repository:a/b:pull,push'], ['repository:a/b:pull,push']],
    ['all actions', ['repository:a/b:*'], ['repository:a/b:*']],
    ['an action twice', ['repository:a/b:pull,pull'], ['repository:a/b:pull']],
    ['an action that is unknown', ['repository:a/b:pull,admin,metrics'], ['repository:a/b:pull']],
    ['only such', ['repository:a/b:admin'], []],
    ['names of prototypes', ['repository:a/b:constructor'], []],
    ['no action', ['repository:a/b:'], []],
    ['a class', ['repository(plugin):a/b:pull'], ['repository:a/b:pull']],
    ['a host', ['repository:ghcr.io/acme/app:pull'], ['repository:ghcr.io/acme/app:pull']],
    ['a port', ['repository:registry:5000/app:pull'], ['repository:registry:5000/app:pull']],
    ['the catalog', ['registry:catalog:*'], ['registry:catalog:*']],
    ['less of the catalog', ['registry:catalog:pull'], []],
    ['another registry', ['registry:other:*'], []],
    ['an unknown type', ['artifact:a/b:pull'], []],
    ['one of other registries', ['aws'], []],
    ['no name', ['repository::pull'], []],
    ['nonsense', [':', '::', ':::', 'repository', 'repository:', 'repository:a'], []],
    ['capitals in the type', ['Repository:a/b:pull'], []],
    ['a scope that is too long', [`repository:${'a'.repeat(600)}:pull`], []],
    [
      'several in one parameter',
      ['repository:a/b:pull  repository:c/d:push '],
      ['repository:a/b:pull', 'repository:c/d:push'],
    ],
    [
      'several parameters',
      ['repository:a/b:pull', 'repository:c/d:pull registry:catalog:*'],
      ['repository:a/b:pull', 'repository:c/d:pull', 'registry:catalog:*'],
    ],
    ['one scope twice', ['repository:a/b:pull', 'repository:a/b:pull'], ['repository:a/b:pull']],
  ])('reads %s', (_, parameters, expected) => expect(written(...parameters)).toEqual(expected));

  it('refuses more than the bound, counting each once', () => {
    const many = Array.from({ length: MAX_SCOPES }, (_, i) => `repository:app${i}:pull`);
    expect(parseScopes([many.join(' '), many.join(' ')])).toHaveLength(MAX_SCOPES);
    expect(parseScopes([...many, 'repository:one-more:pull'])).toBeUndefined();
    expect(parseScopes([...many, 'nonsense'])).toBeUndefined();
  });

  const word = fc.constantFrom('pull', 'push', 'delete', '*', 'admin', '');
  const name = fc.stringMatching(/^[a-z0-9.:/_-]{1,40}$/);
  const scope = fc
    .tuple(name, fc.array(word, { maxLength: 4 }))
    .map(([n, a]) => `repository:${n}:${a.join(',')}`);

  it('reads back what it has written, and never means more than is written', () => {
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 5 }), (scopes) => {
        const read = parseScopes(scopes) ?? [];
        expect(parseScopes(read.map(formatScope))).toEqual(
          // Scopes that differ only in words that Larder does not know become one.
          [...new Map(read.map((each) => [formatScope(each), each])).values()],
        );
        for (const each of read) {
          if (each.kind === 'catalog') continue;
          const same = scopes.filter((text) => text.startsWith(`repository:${each.name}:`));
          expect(same.some((text) => each.actions.every((action) => text.includes(action)))).toBe(true);
        }
      }),
    );
  });

  it('reads any text without failing', () => {
    fc.assert(fc.property(fc.array(fc.string()), (texts) => void parseScopes(texts)));
  });
});

describe('meaningOf', () => {
  it.each([
    [['pull'], ['pull', 'tags']],
    [['push'], ['push']],
    [['delete'], ['delete']],
    [
      ['pull', '*'],
      ['pull', 'tags', 'push', 'delete'],
    ],
  ] as const)('%j is %j', (words, actions) => expect(meaningOf(words)).toEqual(actions));
});
