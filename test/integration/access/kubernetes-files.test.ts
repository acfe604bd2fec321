/** The files of `deploy/kubernetes/` are what Larder and the kubelet take, and agree with one another. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ANONYMOUS, type Principal } from '../../../src/access/principal.ts';
import { rulesOf } from '../../../src/app/access/access-rules.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { askProvider } from '../../support/e2e/credential-provider.ts';
import { createCertificateAuthority } from '../../support/tls.ts';

const FOLDER = join(import.meta.dirname, '../../../deploy/kubernetes');

function text(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

/** A document of Kubernetes', of which a test reads a few members. */
type Resource = Readonly<Record<string, unknown>> & { readonly kind: string };

function resources(name: string): readonly Resource[] {
  const documents = parseAllDocuments(text(name));
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });
}

/** Loads config.yaml as Larder does, with something in each file that it names. */
function larderConfig(): Config {
  const { key, cert } = createCertificateAuthority().issue(['mirror.example.com']);
  const readText = (path: string): string => {
    if (path.endsWith('config.yaml')) return text('config.yaml');
    if (path.endsWith('.key')) return key;
    return path.endsWith('.crt') ? cert : 'secret\n';
  };
  const sources = { env: {}, cwd: '/etc/larder', home: '/root', readText, isProgram: () => false };
  return loadConfig('config.yaml', sources);
}

function serviceAccount(namespace: string, name: string): Principal {
  const subject = `system:serviceaccount:${namespace}:${name}`;
  return { kind: 'oidc', issuer: 'cluster', subject, groups: [], serviceAccount: { namespace, name } };
}

test.each<[Principal, string, string, boolean]>([
  [serviceAccount('prod', 'web'), 'ghcr.io', 'acme/app', true],
  [serviceAccount('ci', 'builder'), 'ghcr.io', 'acme/app', true],
  [serviceAccount('ci', 'other'), 'ghcr.io', 'acme/app', false],
  [ANONYMOUS, 'ghcr.io', 'acme/app', false],
  [ANONYMOUS, 'docker.io', 'library/debian', true],
  [serviceAccount('ci', 'other'), 'registry.k8s.io', 'pause', true],
])('by config.yaml, %j pulls from %s/%s: %s', (principal, registry, repository, expected) => {
  const { isAllowed } = rulesOf(larderConfig()).decide(principal, 'pull', { registry, repository });
  expect(isAllowed).toBe(expected);
});

test('by config.yaml, only the service account of Prometheus reads the metrics', () => {
  const rules = rulesOf(larderConfig());
  const mayRead = (principal: Principal): boolean => rules.decide(principal, 'metrics', undefined).isAllowed;
  expect(mayRead(serviceAccount('monitoring', 'prometheus'))).toBe(true);
  expect(mayRead(ANONYMOUS)).toBe(false);
});

interface Provider {
  readonly name: string;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly matchImages: readonly string[];
  readonly tokenAttributes: Readonly<Record<string, unknown>>;
}

test('the kubelet asks the provider by options that it takes, with a token for the audience that Larder expects', async () => {
  const [config] = resources('credential-provider-config.yaml');
  const [provider] = (config?.['providers'] ?? []) as readonly Provider[];
  const { publicUrl, access } = larderConfig();
  const [audience] = access?.oidc['cluster']?.audience ?? [];
  expect(provider?.name).toBe('larder-credential-provider');
  expect(provider?.matchImages).toContain(new URL(publicUrl ?? '').host);
  expect(provider?.tokenAttributes).toEqual({
    serviceAccountTokenAudience: audience,
    cacheType: 'ServiceAccount',
    requireServiceAccount: true,
  });
  const role = resources('nodes.yaml').find(({ kind }) => kind === 'ClusterRole');
  expect(role?.['rules']).toMatchObject([{ resources: [audience] }]);
  // It gets as far as its standard input, so it has taken all options.
  const { stderr } = await askProvider('', provider?.args ?? []);
  expect(stderr).toContain('is no CredentialProviderRequest');
});

test('the pod has probes that Larder answers, and the time that Larder needs to end', () => {
  const set = resources('larder.yaml').find(({ kind }) => kind === 'StatefulSet');
  const probe = (path: string) => ({ httpGet: { path, port: 'registry', scheme: 'HTTPS' } });
  expect(set).toMatchObject({
    spec: {
      template: {
        spec: {
          terminationGracePeriodSeconds: 35,
          containers: [
            {
              ports: [{ name: 'registry', containerPort: 5000 }],
              livenessProbe: probe('/livez'),
              readinessProbe: probe('/readyz'),
            },
          ],
        },
      },
    },
  });
});
