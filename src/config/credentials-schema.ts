import { z } from 'zod';
import { HELPER } from './credential-helper.ts';
import type { CredentialsConfig } from './credentials.ts';
import { alternatives, shown } from './problem.ts';
import { secretText } from './value-leaf.ts';

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

function formMistake(written: Keys): string | undefined {
  const forms = FORMS.filter((form) => written[form] !== undefined);
  const [form] = forms;
  if (form === undefined) return `expected one of ${alternatives(FORMS)}, got none`;
  if (forms.length > 1) return `expected only one of ${alternatives(FORMS)}, got ${forms.join(' and ')}`;
  const needsUser = form === 'password' || form === 'passwordFile';
  if (needsUser && written.username === undefined)
    return `expected username beside ${form}, got ${shown(undefined)}`;
  if (!needsUser && written.username !== undefined) return `expected no username beside ${form}`;
  return undefined;
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
