/** How a registry differs from the distribution spec. Kept as data, so that the client's code names no hosts. */
export interface Quirks {
  /** Method to ask whether a blob exists: `get` if the registry refuses HEAD although GET works. */
  readonly blobStat: 'head' | 'get';
  /** Number of tags to ask for in one page. */
  readonly tagsPageSize: number;
  /**
   * Whether the registry counts pulls, reports them in `RateLimit-*`, and limits all of them by a 429
   * (docs.docker.com/docker-hub/usage).
   */
  readonly countsPulls: boolean;
  /** Most bytes that one page of tags may have. */
  readonly tagsPageBytes: number;
}

const MiB = 1024 * 1024;

export const NO_QUIRKS: Quirks = {
  blobStat: 'head',
  countsPulls: false,
  tagsPageSize: 1000,
  tagsPageBytes: 8 * MiB,
};

/** One row for each difference; several rows may match a host. */
const TABLE: readonly { readonly host: RegExp; readonly quirks: Partial<Quirks>; readonly why: string }[] = [
  {
    host: /^public\.ecr\.aws$/,
    quirks: { blobStat: 'get' },
    why: 'HEAD of a blob answers 401 even with a valid token (aws/containers-roadmap#2671)',
  },
  {
    host: /^registry-1\.docker\.io$|^(?:index\.)?docker\.io$/,
    quirks: { countsPulls: true },
    why: 'the pull limit is over all manifests of an account; other registries say RateLimit of requests and seconds',
  },
  {
    host: /^registry-1\.docker\.io$|^(?:index\.)?docker\.io$|^quay\.io$/,
    quirks: { tagsPageSize: 100 },
    why: 'pages hold 100 tags; Docker Hub does not say how it takes a larger n',
  },
  {
    host: /(?:^|\.)gcr\.io$|\.pkg\.dev$|^registry\.k8s\.io$/,
    quirks: { tagsPageBytes: 64 * MiB },
    why: 'tags are not paginated, and the answer describes every manifest of the repository',
  },
];

/** Returns the quirks of a registry. @param hostname of the upstream's URL, in lower case */
export function quirksOf(hostname: string): Quirks {
  const rows = TABLE.filter(({ host }) => host.test(hostname));
  return Object.assign({}, NO_QUIRKS, ...rows.map(({ quirks }) => quirks));
}
