import { z } from 'zod';
import { access } from './sections/access/access.ts';
import { cache } from './sections/cache.ts';
import { limits } from './sections/limits.ts';
import { log } from './sections/log.ts';
import { section } from './sections/section.ts';
import { tags } from './sections/tags.ts';
import { timeouts } from './sections/timeouts.ts';
import { tls } from './sections/tls.ts';
import { upstreams } from './sections/upstreams.ts';
import { warm } from './sections/warm.ts';
import type { ValueContext } from './values/context.ts';
import { duration, wait } from './values/duration.ts';
import { registryHost } from './values/addresses/host.ts';
import { publicUrl } from './values/addresses/http-url.ts';
import { distinct } from './values/list.ts';
import { listenAddress } from './values/addresses/listen-address.ts';
import { trustedProxy } from './values/addresses/trusted-proxy.ts';

/** Makes the schema of the file. Its keys are in the order in which they are documented and printed. */
export const configSchema = (context: ValueContext) =>
  section({
    listen: listenAddress()
      .prefault('127.0.0.1:5000')
      .describe(
        '`host:port`. `:5000` is every address of the machine, `"[::1]:5000"` IPv6, port `0` any free one. Or ' +
          '`unix:/run/larder/larder.sock`, a Unix socket of mode 0660 (docs/tls.md).',
      ),
    tls: tls(context),
    cache: cache(context),
    tags: tags(),
    negativeTtl: duration().prefault('30s').describe('How long "there is no such thing" is believed.'),
    offline: z.boolean().prefault(false).describe('Never contact an upstream; serve what is cached.'),
    access: access(context),
    publicUrl: publicUrl()
      .optional()
      .describe(
        'How clients reach Larder, such as `https://mirror.example`: they are sent there for tokens, with their passwords. ' +
          'Without it, the `Host` of their request counts, and a proxy in front has to tell the scheme ' +
          '(`X-Forwarded-Proto`, and see `trustedProxies`).',
      ),
    defaultUpstream: registryHost()
      .prefault('docker.io')
      .describe('The upstream of requests that name none, as Docker sends them. One of `upstreams`.'),
    upstreams: upstreams(context),
    warm: warm(),
    timeouts: timeouts(),
    trustedProxies: distinct(trustedProxy())
      .prefault([])
      .describe(
        'Proxies in front of Larder, each an address, a network, or `unix` for those that connect to its Unix socket. ' +
          'They are believed when they tell for whom they ask (`Forwarded`, `X-Forwarded-For`), and whether by https ' +
          '(`Forwarded`, `X-Forwarded-Proto`). Without them all clients behind a proxy are one address to `limits`, in the log, ' +
          'and to the limits of wrong passwords: one client with a wrong password can then make the others wait (429, ' +
          'docs/access.md).',
      ),
    limits: limits(),
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
          'a pull opens one for its next layer, and a load balancer takes a moment to notice. ' +
          'While pulls are under way it takes them for up to half of `drain` longer.',
      ),
    drain: wait(0)
      .prefault('25s')
      .describe(
        'How long running requests may go on after `drainDelay`. Kubernetes kills 30 s after SIGTERM.',
      ),
    log: log(),
  });

/** A file before it is completed: values in the program's units, with the schema's defaults filled in. */
export type ConfigFile = z.output<ReturnType<typeof configSchema>>;
