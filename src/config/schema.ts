import { z } from 'zod';
import { credentialsSchema } from './sections/credentials-schema.ts';
import { parseGlob } from './values/glob.ts';
import { parseHost, parseRegistryHost } from './values/host.ts';
import { parseRegistryUrl } from './values/http-url.ts';
import { parseListenAddress } from './values/listen-address.ts';
import { NETWORK_EXAMPLE, parseNetwork } from './values/network.ts';
import { parseProxy } from './values/proxy.ts';
import { proxyCredentialsSchema } from './sections/proxy-credentials.ts';
import {
  byteSize,
  byteSizeOrUnlimited,
  count,
  duration,
  durationOrNever,
  filePath,
  textLeaf,
  wait,
  type Leaf,
} from './values/leaf.ts';

const glob = (): Leaf<string> => textLeaf('glob', 'a glob such as library/* or team/**', parseGlob);
const host = (): Leaf<string> => textLeaf('host', 'a host such as mirror.example', parseHost);
const network = (): Leaf<string> => textLeaf('network', NETWORK_EXAMPLE, parseNetwork);
const registryHost = (): Leaf<string> =>
  textLeaf('registry host', 'a registry host such as ghcr.io', parseRegistryHost);

type Section<Shape extends z.ZodRawShape> = z.ZodPreprocess<
  z.ZodObject<{ -readonly [Key in keyof Shape]: Shape[Key] }, z.core.$strict>
>;

/** A map whose keys are all optional: written without any of them, YAML makes it null. */
function section<Shape extends z.ZodRawShape>(shape: Shape): Section<Shape> {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape));
}

const tagPolicy = {
  ttl: duration().describe('How long a tag is served without asking upstream whether it has moved.'),
  staleFor: duration().describe(
    'How long past `ttl` a tag may be served while upstream fails. `0s`: not at all.',
  ),
  deadline: wait(0).describe(
    'How long a client waits for a revalidation. After that the known tag is served and the check goes on behind it.',
  ),
  immutable: z
    .array(glob())
    .describe('Tags that are never revalidated once cached, such as `v*.*.*`. `**` means every tag.'),
  onDeleted: z
    .enum(['drop', 'keep'])
    .describe('What happens to a cached tag when upstream says that it is gone.'),
  quotaReserve: count(0).describe(
    'So many of the pulls that upstream allows (Docker Hub tells them in `ratelimit-remaining`) are kept for what is not cached at all; ' +
      'tags that have moved are served as they were.',
  ),
};

// Headers must reach containerd within 30 s (its ResponseHeaderTimeout): connecting and waiting stay below.
const timeouts = {
  connect: wait(1).describe('For a connection to upstream, TLS included.'),
  headers: wait(1).describe(
    "From a request to its answer's headers, and as much as `connect` beyond that: whether a connection had to be " +
      'made first is not told apart.',
  ),
  body: wait(1).describe(
    'The longest silence inside a body. A body that keeps coming may take as long as it likes.',
  ),
};

const upstream = section({
  url: textLeaf('URL', 'a URL such as https://registry.example:5443', parseRegistryUrl)
    .optional()
    .describe('The registry, without `/v2`. A known registry needs none. `http://` is used as written.'),
  aliases: z
    .array(registryHost())
    .prefault([])
    .describe('Other names that images and clients use for this registry.'),
  hosts: z
    .array(host())
    .prefault([])
    .describe('Names of this mirror that stand for this registry: a request with such a `Host` goes to it.'),
  credentials: credentialsSchema
    .optional()
    .describe(
      'The account to pull with; exactly one form. Values may hold `${NAME}`, an environment variable.',
    ),
  ca: filePath()
    .optional()
    .describe(
      "A PEM file with the certificates of the registry's authority, trusted besides the system's. One that changes is " +
        'read again; while it cannot be used, what it said before counts.',
    ),
  proxy: textLeaf('URL or `none`', 'a proxy such as http://proxy.example:3128, or none', (text) =>
    text === 'none' ? text : parseProxy(text),
  )
    .optional()
    .describe(
      'The HTTP proxy through which the registry is reached, its token servers and what it redirects to. User and ' +
        'password may be in it, percent-encoded, or in `proxyCredentials`. Without this key the environment counts; ' +
        '`none`: no proxy, whatever the environment says. A proxy resolves names itself, so that what they lead to is ' +
        'not judged; addresses inside that a registry names are refused as ever.',
    ),
  proxyCredentials: proxyCredentialsSchema
    .optional()
    .describe('The account at `proxy`. Values may hold `${NAME}`, an environment variable.'),
  tags: section({
    ttl: tagPolicy.ttl.optional(),
    staleFor: tagPolicy.staleFor.optional(),
    deadline: tagPolicy.deadline.optional(),
    immutable: tagPolicy.immutable.optional(),
    onDeleted: tagPolicy.onDeleted.optional(),
    quotaReserve: tagPolicy.quotaReserve.optional(),
  })
    .prefault({})
    .describe('Overrides single keys of the general `tags`.'),
  allow: z
    .array(glob())
    .prefault(['**'])
    .describe('The repositories that are served; `library/` belongs to the name. An empty list: none.'),
  deny: z
    .array(glob())
    .prefault([])
    .describe('The repositories that are not served although `allow` names them.'),
  trustedRealms: z
    .array(host())
    .prefault([])
    .describe(
      "Token servers, each `host` or `host:port`, that may be sent the credentials beyond the registry's own domain. " +
        'Without a port it is the default port only: 443, or 80 where registry and token server are `http://`.',
    ),
  allowPrivateNetworks: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the registry may send Larder on to private addresses (redirects, token servers). One that is itself ' +
        'reached at such an address may anyhow; not so one that was reached at a public address since the start.',
    ),
  checksReferences: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the registry is known to take a manifest only where it has the config and the layers that it names. ' +
        'Then a manifest is believed about those that this registry has given before, and they need not be asked for ' +
        '(docs/adr/0011).',
    ),
  timeouts: section({
    connect: timeouts.connect.optional(),
    headers: timeouts.headers.optional(),
    body: timeouts.body.optional(),
  })
    .prefault({})
    .describe('Overrides single keys of the general `timeouts`.'),
}).describe('A registry, named by its host. A known registry needs no keys.');

const cache = section({
  directory: filePath().prefault('./cache').describe('Where everything is kept. One process owns it.'),
  maxSize: byteSizeOrUnlimited(1)
    .prefault('50GiB')
    .describe('What is kept at most; beyond it, what has not been pulled for longest goes.'),
  minFree: byteSize().prefault('2GiB').describe('What is left free on the disk.'),
  manifestMemory: byteSize(1024 ** 2)
    .prefault('64MiB')
    .describe('How much memory holds manifests.'),
  blobMemory: byteSize()
    .prefault('32MiB')
    .describe('How much memory holds blobs of 64 KiB and less, image configs above all; 0: none.'),
  unusedFor: durationOrNever().prefault('never').describe('What nobody has pulled for this long goes.'),
  verifyEvery: durationOrNever()
    .prefault('never')
    .describe(
      'How long after a verification of the whole store the next one begins, in the background: every blob is ' +
        'read and hashed, and what is wrong is set aside and comes from upstream again when it is next asked for.',
    ),
  verifyRate: byteSize(1)
    .prefault('20MiB')
    .describe('How many bytes a second such a verification reads, and `larder verify` of a running server.'),
});

const log = section({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .prefault('info')
    .describe('The least severe lines that are written.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .prefault('auto')
    .describe('`auto`: pretty on a terminal, JSON elsewhere.'),
});

/** The file (design: "Names that are fixed"). Durations come out as milliseconds, sizes as bytes, paths as written. */
export const configSchema = section({
  listen: textLeaf('address', 'an address such as 127.0.0.1:5000', parseListenAddress)
    .prefault('127.0.0.1:5000')
    .describe(
      '`host:port`. `:5000` is every address of the machine, `"[::1]:5000"` IPv6, port `0` any free one.',
    ),
  cache: cache.prefault({}).describe('What is kept, and where.'),
  tags: section({
    ttl: tagPolicy.ttl.prefault('5m'),
    staleFor: tagPolicy.staleFor.prefault('30d'),
    deadline: tagPolicy.deadline.prefault('2s'),
    immutable: tagPolicy.immutable.prefault([]),
    onDeleted: tagPolicy.onDeleted.prefault('drop'),
    quotaReserve: tagPolicy.quotaReserve.prefault(10),
  })
    .prefault({})
    .describe('When upstream is asked whether a tag has moved. An upstream may say otherwise.'),
  negativeTtl: duration().prefault('30s').describe('How long "there is no such thing" is believed.'),
  offline: z.boolean().prefault(false).describe('Never contact an upstream; serve what is cached.'),
  access: z
    .strictObject({
      anonymous: z.enum(['pull']).describe('`pull`: whoever reaches Larder may pull everything it can pull.'),
    })
    .optional()
    .describe('Must be said where Larder listens beyond this machine and has credentials for an upstream.'),
  defaultUpstream: registryHost()
    .prefault('docker.io')
    .describe('The upstream of requests that name none, as Docker sends them. One of `upstreams`.'),
  upstreams: z
    .record(z.string(), upstream.describe('A registry. A known one needs no keys.'))
    .prefault({ 'docker.io': {} })
    .describe(
      'The registries that are mirrored, by the host that images are named with. No other is ever contacted.',
    ),
  timeouts: section({
    connect: timeouts.connect.prefault('5s'),
    headers: timeouts.headers.prefault('15s'),
    body: timeouts.body.prefault('30s'),
    answer: wait(1)
      .prefault('25s')
      .describe(
        "How long a client waits for its answer's headers, whatever upstream has to be asked for it: then it " +
          'gets 504, while what it asked for is still fetched. Below the 30 s after which containerd gives up.',
      ),
  })
    .prefault({})
    .describe('How long upstreams are waited for. An upstream may say otherwise, but for `answer`.'),
  trustedProxies: z
    .array(network())
    .prefault([])
    .describe(
      'Proxies in front of Larder, each an address or a network, that are believed when they tell for whom they ask ' +
        '(`Forwarded`, `X-Forwarded-For`). Without them all clients behind a proxy are one to `limits` and in the log.',
    ),
  limits: section({
    requests: count(1).prefault(4096).describe('Requests served at the same time; beyond it, 503.'),
    requestsPerClient: count(1)
      .prefault(512)
      .describe(
        'The share of one client (an IPv4 address, a /64 of IPv6) of them. It may have more for as long as more than a ' +
          'share is left for others; beyond it, 429.',
      ),
    connections: count(1)
      .prefault(16_384)
      .describe(
        'Open connections, idle ones included; beyond it, a new one takes the place of an idle one: of the client that ' +
          'holds the most, the one that has been idle for longest. `/livez` and `/readyz` are answered beyond it.',
      ),
    connectionsPerClient: count(1)
      .prefault(2048)
      .describe(
        'The share of one client of them. It may have more for as long as more than a share is left for others.',
      ),
    headerTimeout: wait(1).prefault('15s').describe('How long a client may take to send its request.'),
    idleTimeout: wait(1)
      .prefault('60s')
      .describe('How long a client may take nothing of an answer before it is cut.'),
    upstreamConnections: count(1)
      .prefault(64)
      .describe('Connections to one host of an upstream at the same time; what is more waits for one.'),
  })
    .prefault({})
    .describe('What protects Larder against too many and too slow clients.'),
  delivery: z
    .enum(['auto', 'read'])
    .prefault('auto')
    .describe(
      'How stored blobs are sent. `auto`: from the file to the connection by the kernel (Linux), else through Larder; `read`: always through Larder.',
    ),
  drainDelay: wait(0)
    .prefault('5s')
    .describe(
      'How long Larder still takes new connections once it has been told to stop by SIGTERM, while `/readyz` says 503: ' +
        'a pull opens one for its next layer, and a load balancer takes a moment to notice.',
    ),
  drain: wait(0)
    .prefault('25s')
    .describe('How long running requests may go on after that. Kubernetes kills 30 s after SIGTERM.'),
  log: log.prefault({}).describe('What is written to the standard output.'),
});

/** What the schema makes of a file. */
export type ConfigFile = z.output<typeof configSchema>;
