import { z } from 'zod';
import { alternatives, shown, type ConfigProblem } from '../config-problem.ts';
import { HELPER } from './credential-helper.ts';
import { isPlainMap, upstreamEntries } from '../source/plain-value.ts';
import { PLAIN, type ValueContext } from '../values/context.ts';
import { accountFile, accountName, accountProgram, secret } from '../values/secret.ts';

/**
 * The source of an upstream's credentials. `upstream/auth` reads the secret at each use, so that it notices a changed
 * file. Paths are absolute.
 */
export type CredentialsConfig =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'password-file'; readonly username: string; readonly path: string }
  /** A refresh token, as `docker login` stores it as `identitytoken`. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Docker's config.json: `auths`, `credsStore`, `credHelpers`. */
  | { readonly kind: 'docker-config'; readonly path: string }
  /** `docker-credential-NAME` in PATH, or the absolute path of such a program. */
  | { readonly kind: 'helper'; readonly program: string };

const keys = (context: ValueContext) => ({
  username: accountName().optional().describe('The account. Goes with `password` or `passwordFile`.'),
  password: secret(context).optional().describe("The account's password or access token."),
  passwordFile: accountFile(context)
    .optional()
    .describe(
      'A file that holds nothing but the password. It is read when the password is needed, so it may change.',
    ),
  token: secret(context).optional().describe('A refresh token, which the registry calls an identity token.'),
  dockerConfig: accountFile(context)
    .optional()
    .describe("Docker's `config.json`: its `auths`, `credsStore` and `credHelpers` are used."),
  helper: accountProgram('a program such as docker-credential-ecr-login', HELPER, context)
    .optional()
    .describe('A Docker credential helper: its name, if it is in `PATH`, or its path.'),
});

type Written = Readonly<Partial<Record<keyof ReturnType<typeof keys>, string | undefined>>>;

const FORMS = ['password', 'passwordFile', 'token', 'dockerConfig', 'helper'] as const;

type Form = (typeof FORMS)[number];

/** Makes the schema of one form of credentials, without keys of other forms. */
export const credentials = (context: ValueContext) =>
  z.codec(z.strictObject(keys(context)), z.custom<CredentialsConfig>(), {
    decode(written, { issues }): CredentialsConfig {
      const mistake = formMistake(written);
      const selected = mistake === undefined ? select(written) : undefined;
      if (selected !== undefined) return selected;
      const message = mistake ?? `expected ${alternatives(FORMS)}`;
      issues.push({ code: 'custom', message, input: written });
      return z.NEVER;
    },
    encode: toKeys,
  });

/**
 * Returns the mistakes in the forms of credentials. Takes the file as written: the schema checks keys together only if
 * each of them is right.
 */
export function checkForms(file: unknown): readonly ConfigProblem[] {
  return upstreamEntries(file).flatMap(([name, { credentials }]) => {
    if (!isPlainMap(credentials)) return [];
    // An unknown key may be the missing one, misspelt: then only the excess keys are reported.
    const known = Object.keys(keys(PLAIN));
    const isKnown = Object.keys(credentials).every((key) => known.includes(key));
    const message = isKnown ? formMistake(credentials) : excess(credentials);
    return message === undefined ? [] : [{ path: ['upstreams', name, 'credentials'], message }];
  });
}

function formMistake(written: Readonly<Partial<Record<keyof Written, unknown>>>): string | undefined {
  return excess(written) ?? lack(written);
}

function excess(written: Readonly<Partial<Record<keyof Written, unknown>>>): string | undefined {
  const [form, ...others] = formsOf(written);
  if (form === undefined) return undefined;
  if (others.length > 0)
    return `expected only one of ${alternatives(FORMS)}, got ${[form, ...others].join(' and ')}`;
  const isTooMuch = !needsUser(form) && written.username !== undefined;
  return isTooMuch ? `expected no username beside ${form}` : undefined;
}

function lack(written: Readonly<Partial<Record<keyof Written, unknown>>>): string | undefined {
  const [form] = formsOf(written);
  if (form === undefined) return `expected one of ${alternatives(FORMS)}, got none`;
  const isTooLittle = needsUser(form) && written.username === undefined;
  return isTooLittle ? `expected username beside ${form}, got ${shown(undefined)}` : undefined;
}

function formsOf(written: Readonly<Partial<Record<keyof Written, unknown>>>): readonly Form[] {
  return FORMS.filter((form) => written[form] !== undefined);
}

function needsUser(form: Form): boolean {
  return form === 'password' || form === 'passwordFile';
}

function select({ username, ...written }: Written): CredentialsConfig | undefined {
  if (username !== undefined) {
    if (written.password !== undefined) return { kind: 'password', username, password: written.password };
    if (written.passwordFile !== undefined)
      return { kind: 'password-file', username, path: written.passwordFile };
  }
  if (written.token !== undefined) return { kind: 'identity-token', token: written.token };
  if (written.dockerConfig !== undefined) return { kind: 'docker-config', path: written.dockerConfig };
  if (written.helper !== undefined) return { kind: 'helper', program: written.helper };
  return undefined;
}

/** The inverse of `select`. */
function toKeys(credentials: CredentialsConfig): Written {
  switch (credentials.kind) {
    case 'password':
      return { username: credentials.username, password: credentials.password };
    case 'password-file':
      return { username: credentials.username, passwordFile: credentials.path };
    case 'identity-token':
      return { token: credentials.token };
    case 'docker-config':
      return { dockerConfig: credentials.path };
    default:
      return { helper: credentials.program };
  }
}
