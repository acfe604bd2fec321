import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Certificate } from './certificate.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Server } from './server.ts';

export interface DistributionOptions {
  readonly name: string;
  readonly directory: Directory;
  /** The storage directory that it serves. Absent: a new one. */
  readonly storage?: string;
  /** Makes it a pull-through cache of this address. */
  readonly proxyOf?: string;
  /** The PEM file of the authority to trust in place of the system's. */
  readonly caFile?: string | undefined;
  /** Absent: Debian's. */
  readonly program?: string;
  /** Absent: it speaks http. */
  readonly tls?: Certificate | undefined;
}

/**
 * Starts distribution, by default Debian's docker-registry (2.8), with the cache of descriptors that Debian configures. It logs
 * answers as it always does, but writes no access log.
 */
export async function distribution(options: DistributionOptions): Promise<Server> {
  const { tls, caFile, program = 'docker-registry' } = options;
  const port = await freePort();
  const place = await options.directory.folder(`distribution-${port}`);
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      cache: { blobdescriptor: 'inmemory' },
      filesystem: { rootdirectory: options.storage ?? join(place, 'storage') },
    },
    http: {
      addr: `127.0.0.1:${port}`,
      ...(tls !== undefined && { tls: { certificate: tls.cert, key: tls.key } }),
    },
    ...(options.proxyOf === undefined ? {} : { proxy: { remoteurl: options.proxyOf } }),
  };
  const configFile = join(place, 'config.yml');
  await writeFile(configFile, stringify(config));
  const trust = caFile === undefined ? [] : [`SSL_CERT_FILE=${caFile}`];
  const running = await start('env', [...trust, program, 'serve', configFile], {
    logFile: join(place, 'log'),
  });
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return answering({ name: options.name, url, ca: tls?.ca }, running, '/v2/');
}
