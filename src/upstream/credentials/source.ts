import { systemClock, type Clock } from '../../clock.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { dockerConfigSource } from './docker-config.ts';
import { helperSource } from './helper.ts';
import { passwordFileSource } from './password-file.ts';

/** The setting of an account's source. Paths are absolute. */
export type CredentialsSetting =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'password-file'; readonly username: string; readonly path: string }
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Docker's config.json. */
  | { readonly kind: 'docker-config'; readonly path: string }
  /** `docker-credential-NAME` in PATH, or the absolute path of such a program. */
  | { readonly kind: 'helper'; readonly program: string };

/** The registry that an account is for. */
export interface RegistryIdentity {
  /** The name that references begin with: `docker.io`. */
  readonly name: string;
  readonly url: URL;
}

/** Makes a source of credentials from its setting. It reads nothing before the first use. */
export function credentialSource(
  setting: CredentialsSetting,
  registry: RegistryIdentity,
  clock: Clock = systemClock,
): CredentialSource {
  switch (setting.kind) {
    case 'password':
      return fixedSource(setting);
    case 'identity-token':
      return fixedSource(setting);
    case 'password-file':
      return passwordFileSource(setting);
    case 'docker-config':
      return dockerConfigSource(setting.path, registry, clock);
    case 'helper':
      return helperSource(setting.program, registry, clock);
  }
}

function fixedSource(credentials: Credentials): CredentialSource {
  return { get: () => Promise.resolve(credentials), invalidate: () => undefined };
}
