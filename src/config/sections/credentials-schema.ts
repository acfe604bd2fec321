import { z } from 'zod';
import { HELPER } from './credential-helper.ts';
import type { CredentialsConfig } from './credentials.ts';
import { isPlainMap, upstreamEntries } from '../source/plain-value.ts';
import { alternatives, shown, type ConfigProblem } from '../config-problem.ts';
import { secretText } from '../values/leaf.ts';

const keys = z.strictObject({
  username: secretText().optional().describe('The account. Goes with `password` or `passwordFile`.'),
  password: secretText().optional().describe("The account's password or access token."),
  passwordFile: secretText('path')
    .optional()
    .describe(
      'A file that holds nothing but the password. It is read when the password is needed, so it may change.',
    ),
  token: secretText().optional().describe('A refresh token, which the registry calls an identity token.'),
  dockerConfig: secretText('path')
    .optional()
    .describe("Docker's `config.json`: its `auths`, `credsStore` and `credHelpers` are used."),
  helper: secretText('program', 'a program such as docker-credential-ecr-login', HELPER)
    .optional()
    .describe('A Docker credential helper: its name, if it is in `PATH`, or its path.'),
});

const FORMS = ['password', 'passwordFile', 'token', 'dockerConfig', 'helper'] as const;

type Keys = z.output<typeof keys>;

/** One form of credentials, and no key of another. Paths are as written. */
export const credentialsSchema: z.ZodPipe<
  typeof keys,
  z.ZodTransform<CredentialsConfig, Keys>
> = keys.transform((written, context): CredentialsConfig => {
  const mistake = formMistake(written);
  const credentials = mistake === undefined ? select(written) : undefined;
  if (credentials !== undefined) return credentials;
  context.issues.push({
    code: 'custom',
    message: mistake ?? `expected ${alternatives(FORMS)}`,
    input: written,
  });
  return z.NEVER;
});

/**
 * What is wrong with the forms of credentials. Takes the file as written: the schema looks at them together only
 * where each key for itself is right.
 */
export function checkForms(file: unknown): readonly ConfigProblem[] {
  return upstreamEntries(file).flatMap(([name, { credentials }]) => {
    if (!isPlainMap(credentials)) return [];
    // What is lacking may be what is misspelt.
    const isKnown = Object.keys(credentials).every((key) => Object.hasOwn(keys.shape, key));
    const message = isKnown ? formMistake(credentials) : excess(credentials);
    return message === undefined ? [] : [{ path: ['upstreams', name, 'credentials'], message }];
  });
}

type Written = Readonly<Partial<Record<keyof Keys, unknown>>>;

function formMistake(written: Written): string | undefined {
  return excess(written) ?? lack(written);
}

function excess(written: Written): string | undefined {
  const [form, ...others] = formsOf(written);
  if (form === undefined) return undefined;
  if (others.length > 0)
    return `expected only one of ${alternatives(FORMS)}, got ${[form, ...others].join(' and ')}`;
  const isTooMuch = !needsUser(form) && written.username !== undefined;
  return isTooMuch ? `expected no username beside ${form}` : undefined;
}

function lack(written: Written): string | undefined {
  const [form] = formsOf(written);
  if (form === undefined) return `expected one of ${alternatives(FORMS)}, got none`;
  const isTooLittle = needsUser(form) && written.username === undefined;
  return isTooLittle ? `expected username beside ${form}, got ${shown(undefined)}` : undefined;
}

type Form = (typeof FORMS)[number];

function formsOf(written: Written): readonly Form[] {
  return FORMS.filter((form) => written[form] !== undefined);
}

function needsUser(form: Form): boolean {
  return form === 'password' || form === 'passwordFile';
}

function select({ username, ...written }: Keys): CredentialsConfig | undefined {
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
