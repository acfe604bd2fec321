import { shown, type ConfigProblem, type KeyPath } from '../../config-problem.ts';
import { isPlainMap, type PlainMap } from '../../source/plain-value.ts';

/** Issuers at which everyone can get a token, with any audience, and what tells their customers apart. */
const PUBLIC: ReadonlyMap<string, { readonly everyone: string; readonly example: string }> = new Map([
  [
    'https://token.actions.githubusercontent.com',
    { everyone: 'every repository on GitHub', example: '{ repository_owner_id: "65" }' },
  ],
  ['https://gitlab.com', { everyone: 'every project on GitLab.com', example: '{ namespace_id: "72" }' }],
  ['https://accounts.google.com', { everyone: 'every Google account', example: '{ hd: example.com }' }],
]);

/**
 * Reports a public issuer without conditions: `authenticated`, and each other word that does not name the subject,
 * would mean the whole world.
 * @param path of the issuer
 */
export function checkPublicIssuer(path: KeyPath, { issuer, claims }: PlainMap): readonly ConfigProblem[] {
  const known = typeof issuer === 'string' ? PUBLIC.get(issuer.replace(/\/$/, '')) : undefined;
  if (known === undefined || (isPlainMap(claims) && Object.keys(claims).length > 0)) return [];
  const { everyone, example } = known;
  const message = `expected conditions such as ${example}, since ${everyone} gets tokens of ${shown(issuer)}`;
  return [{ path: [...path, 'claims'], message }];
}
