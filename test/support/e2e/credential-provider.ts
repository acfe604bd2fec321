import { join } from 'node:path';
import { attempt, type Exit } from './process.ts';

const PROVIDER = join(import.meta.dirname, '../../../deploy/kubernetes/larder-credential-provider');
export const PROVIDER_API = 'credentialprovider.kubelet.k8s.io/v1';

/** What the kubelet writes to a credential provider. */
export interface ProviderRequest {
  readonly image: string;
  readonly serviceAccountToken?: string;
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>;
}

/** What the kubelet reads from it. */
export interface ProviderResponse {
  readonly cacheKeyType: string;
  readonly cacheDuration: string;
  readonly auth: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
}

/** Returns the document, written as the kubelet writes it: compact, with a line's end. */
export function requestDocument(request: ProviderRequest): string {
  return `${JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion: PROVIDER_API, ...request })}\n`;
}

/** Runs the provider, as the kubelet does. @param shell a shell to run it by, instead of the system's `sh` */
export async function askProvider(
  document: string,
  args: readonly string[],
  options: { shell?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<Exit> {
  const line = [...(options.shell ?? []), PROVIDER, ...args];
  return attempt('env', line, { input: document, env: options.env ?? {} });
}

/** Returns the credentials that the provider gives. @throws Error with its output if it gives none */
export async function credentialsOf(
  request: ProviderRequest,
  args: readonly string[],
): Promise<ProviderResponse> {
  const exit = await askProvider(requestDocument(request), args);
  if (exit.code !== 0) throw new Error(`the provider ended with ${exit.code}: ${exit.stderr}`);
  return JSON.parse(exit.stdout) as ProviderResponse;
}
