import { z } from 'zod';
import { credentials } from './credentials.ts';
import { proxyCredentials } from './proxy-credentials.ts';
import { sparseSection } from './section.ts';
import { ownTags } from './tags.ts';
import { ownTimeouts } from './timeouts.ts';
import type { ValueContext } from '../values/context.ts';
import { glob } from '../values/glob.ts';
import { host, registryHost } from '../values/addresses/host.ts';
import { registryUrl } from '../values/addresses/http-url.ts';
import { distinct, list } from '../values/list.ts';
import { filePath } from '../values/path.ts';
import { proxyOrNone } from '../values/addresses/proxy.ts';

const upstream = (context: ValueContext) =>
  sparseSection({
    url: registryUrl()
      .optional()
      .describe('The registry, without `/v2`. A known registry needs none. `http://` is used as written.'),
    aliases: distinct(registryHost())
      .prefault([])
      .describe('Other names that images and clients use for this registry.'),
    hosts: distinct(host())
      .prefault([])
      .describe(
        'Names of this mirror that stand for this registry: a request with such a `Host` goes to it.',
      ),
    credentials: credentials(context)
      .optional()
      .describe(
        'The account to pull with; exactly one form. Values may hold `${NAME}`, an environment variable.',
      ),
    ca: filePath(context)
      .optional()
      .describe(
        "A PEM file with the certificates of the registry's authority, trusted besides the system's. One that changes is " +
          'read again; while it cannot be used, what it said before counts.',
      ),
    proxy: proxyOrNone()
      .optional()
      .describe(
        'The HTTP proxy through which the registry is reached, its token servers and what it redirects to. User and ' +
          'password may be in it, percent-encoded, or in `proxyCredentials`. Without this key the environment counts; ' +
          '`none`: no proxy, whatever the environment says. A proxy resolves names itself, so that what they lead to is ' +
          'not judged; addresses inside that a registry names are refused as ever.',
      ),
    proxyCredentials: proxyCredentials(context)
      .optional()
      .describe('The account at `proxy`. Values may hold `${NAME}`, an environment variable.'),
    tags: ownTags(),
    allow: list(glob())
      .prefault(['**'])
      .describe('The repositories that are served; `library/` belongs to the name. An empty list: none.'),
    deny: list(glob())
      .prefault([])
      .describe('The repositories that are not served although `allow` names them.'),
    trustedRealms: distinct(host())
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
    timeouts: ownTimeouts(),
  }).describe('A registry. A known one needs no keys.');

/** `upstreams`: the registries by the names of their hosts. */
export const upstreams = (context: ValueContext) =>
  z
    .record(z.string(), upstream(context))
    .prefault({ 'docker.io': {} })
    .describe(
      'The registries that are mirrored, by the host that images are named with. No other is ever contacted.',
    );
