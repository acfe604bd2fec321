import { hashSync } from 'bcryptjs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, parseHtpasswd, userProblem, withoutUser, withUser } from './htpasswd.ts';

const BODY = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const HASH = `$2y$10$${BODY}`;

function names(text: string): string[] {
  return [...parseHtpasswd(text).hashes.keys()];
}

describe('an htpasswd file', () => {
  it.each([
    ['nothing', '', []],
    ['users', `alice:${HASH}\nbob:${HASH}\n`, ['alice', 'bob']],
    ['no line break at its end', `alice:${HASH}`, ['alice']],
    ['line breaks of Windows', `alice:${HASH}\r\nbob:${HASH}\r\n`, ['alice', 'bob']],
    ['a byte order mark', `\uFEFFalice:${HASH}\nbob:${HASH}\n`, ['alice', 'bob']],
    ['comments and blank lines', `# users\n\n  \n#bob:${HASH}\nalice:${HASH}\n`, ['alice']],
    ['a third field', `alice:${HASH}:Alice of the team\n`, ['alice']],
    ['each form of bcrypt', `a:$2a$04$${BODY}\nb:$2b$12$${BODY}\ny:$2y$14$${BODY}`, ['a', 'b', 'y']],
    ['names of other alphabets', `zoë:${HASH}\n李:${HASH}\nA b@c:${HASH}\n`, ['zoë', '李', 'A b@c']],
  ])('may hold %s', (_, text, expected) => {
    expect(names(text)).toEqual(expected);
    expect(parseHtpasswd(text).problems).toEqual([]);
  });

  it.each([
    ['no hash', 'alice', 'is no line of the form name:hash'],
    ['an empty hash', 'alice:', 'the password of "alice" is no hash that Larder knows'],
    ['a password in clear', 'alice:secret', 'the password of "alice" is no hash that Larder knows'],
    ['MD5', 'alice:$apr1$x$y', 'an MD5 hash (apr1): only bcrypt is accepted'],
    ['SHA-1', 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'a SHA-1 hash'],
    ['crypt(3)', 'alice:$6$salt$hash', 'a hash of crypt(3)'],
    ['a bcrypt hash that is cut off', `alice:${HASH.slice(0, -1)}`, 'a damaged bcrypt hash'],
    ['a form of bcrypt with a known fault', `alice:$2x$10$${BODY}`, 'a damaged bcrypt hash'],
    ['a hash that takes too long', `alice:$2y$15$${BODY}`, 'the cost 15: expected 4 to 14'],
    ['a cost that bcrypt does not have', `alice:$2y$03$${BODY}`, 'the cost 3: expected 4 to 14'],
    ['no name', `:${HASH}`, 'the name of the user is missing'],
    ['a space before the name', ` alice:${HASH}`, 'a name cannot contain control characters, nor begin'],
    ['a name that is too long', `${'a'.repeat(256)}:${HASH}`, 'a name has at most 255 bytes'],
    ['a user twice', `eve:${HASH}`, 'the user "eve" is there twice'],
  ])('is told the line with %s', (_, line, message) => {
    const { hashes, problems } = parseHtpasswd(`eve:${HASH}\n# a comment\n${line}\nbob:${HASH}\n`);
    expect(problems).toEqual([{ line: 3, message: expect.stringContaining(message) as string }]);
    expect([...hashes.keys()]).toEqual(['eve', 'bob']);
    expect(problems[0]?.message).not.toContain('secret');
  });

  it('gets a user behind the others, and another hash in the same place', () => {
    const text = `# users\nalice:${HASH}\n\nbob:${HASH}`;
    expect(withUser(text, 'eve', HASH)).toBe(`${text}\neve:${HASH}\n`);
    expect(withUser('', 'eve', HASH)).toBe(`eve:${HASH}\n`);
    expect(withUser(`${text}\nalice:other\n`, 'alice', 'new')).toBe(`# users\nalice:new\n\nbob:${HASH}\n`);
  });

  it('loses a user, and nothing else', () => {
    const text = `# users\nalice:${HASH}\n#alice:\nalice2:${HASH}\n`;
    expect(withoutUser(text, 'alice')).toBe(`# users\n#alice:\nalice2:${HASH}\n`);
    expect(withoutUser(text, 'eve')).toBeUndefined();
  });

  it('is changed behind a byte order mark, too', () => {
    const text = `\uFEFFalice:${HASH}\nbob:${HASH}\n`;
    expect(names(withUser(text, 'alice', `$2b$04$${BODY}`))).toEqual(['alice', 'bob']);
    expect(withUser(text, 'alice', `$2b$04$${BODY}`)).not.toContain(HASH.concat('\nalice'));
    expect(names(withoutUser(text, 'alice') ?? '')).toEqual(['bob']);
  });

  const anyName = fc.string({ unit: 'grapheme' }).filter((name) => userProblem(name) === undefined);

  it('has a user after it got one, and not after it lost it', () => {
    const anyLine = fc.oneof(
      fc.constantFrom('', '# a comment', '#alice:x'),
      anyName.map((name) => `${name}:${HASH}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(anyLine), anyName, (lines, name) => {
        const text = lines.join('\n');
        const changed = withUser(text, name, `$2b$04$${BODY}`);
        expect(parseHtpasswd(changed).hashes.get(name)).toBe(`$2b$04$${BODY}`);
        expect(names(changed).filter((each) => each !== name)).toEqual(
          names(text).filter((each) => each !== name),
        );
        expect(names(withoutUser(changed, name) ?? '')).not.toContain(name);
      }),
    );
  });

  it('never makes its reader throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseHtpasswd(text).hashes).toBeInstanceOf(Map);
      }),
    );
  });
});

describe('the cost of a hash', () => {
  it.each([4, 5])('is %d if it was made so', (cost) => expect(costOf(hashSync('secret', cost))).toBe(cost));

  it('is none for what is no bcrypt hash', () => expect(costOf('$1$x')).toBeNaN());
});
