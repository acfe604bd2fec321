/** Facts about a public registry that the config need not say. */
export interface KnownRegistry {
  readonly url: URL;
  /** Other hosts of the same registry. */
  readonly aliases: readonly string[];
  /** Whether repositories of one segment mean `library/<name>`. */
  readonly addLibrary: boolean;
  /** Token servers outside the registry's registrable domain. */
  readonly trustedRealms: readonly string[];
}

interface Entry {
  readonly url?: string;
  readonly aliases?: readonly string[];
  readonly addLibrary?: boolean;
  readonly trustedRealms?: readonly string[];
}

/** The known registries. An empty entry means that the API is at `https://<name>/v2/`, and there is no other name. */
const BY_NAME: ReadonlyMap<string, Entry> = new Map([
  [
    'docker.io',
    {
      url: 'https://registry-1.docker.io',
      aliases: ['index.docker.io', 'registry-1.docker.io'],
      addLibrary: true,
    },
  ],
  ['ghcr.io', {}],
  ['quay.io', {}],
  ['mcr.microsoft.com', {}],
  ['gcr.io', {}],
  ['registry.k8s.io', {}],
  ['public.ecr.aws', {}],
  // Its challenge names a realm of NVIDIA's other domain once a token has expired.
  ['nvcr.io', { trustedRealms: ['authn.nvidia.com'] }],
  ['registry.gitlab.com', {}],
  ['registry.access.redhat.com', {}],
  ['registry.redhat.io', {}],
  ['docker.elastic.co', {}],
  ['cgr.dev', {}],
]);

/** Registries with a host for each customer or region. */
const BY_PATTERN: readonly RegExp[] = [
  // Google Container Registry and Artifact Registry: eu.gcr.io, europe-west1-docker.pkg.dev.
  /^[a-z0-9-]+\.gcr\.io$/,
  /^[a-z0-9-]+\.pkg\.dev$/,
  // Azure, with its sovereign clouds.
  /^[a-z0-9-]+\.azurecr\.(?:io|cn|us)$/,
  // Amazon ECR: commercial, China and Europe partitions, FIPS; then the dual-stack names.
  /^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.(?:com|com\.cn|eu)$/,
  /^\d{12}\.dkr-ecr(?:-fips)?\.[a-z0-9-]+\.on\.(?:aws|amazonwebservices\.com\.cn)$/,
];

/** The names of the known registries that have one fixed name. */
export const KNOWN_REGISTRY_NAMES: readonly string[] = [...BY_NAME.keys()];

/** Finds a known registry. @param name its host in lower case, not an alias */
export function knownRegistry(name: string): KnownRegistry | undefined {
  const isPattern = BY_PATTERN.some((pattern) => pattern.test(name));
  const entry = BY_NAME.get(name) ?? (isPattern ? {} : undefined);
  if (entry === undefined) return undefined;
  return {
    url: new URL(entry.url ?? `https://${name}`),
    aliases: entry.aliases ?? [],
    addLibrary: entry.addLibrary ?? false,
    trustedRealms: entry.trustedRealms ?? [],
  };
}

/** Returns the name of the known registry that `host` is an alias of: `index.docker.io` → `docker.io`. */
export function aliasedRegistry(host: string): string | undefined {
  for (const [name, entry] of BY_NAME) {
    if (entry.aliases?.includes(host) === true) return name;
  }
  return undefined;
}
