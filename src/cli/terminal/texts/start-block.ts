import { formatByteSize } from '../../../config/values/byte-size.ts';
import type { Config } from '../../../config/config.ts';
import type { BoundAddress } from '../../../server/listening/bind.ts';
import { accessLine, dockerMirrorHosts, dockerMirrorPath } from './access-line.ts';
import { shortSize } from '../short-size.ts';

/** The facts that are known once the server listens. Sizes in bytes. */
export interface StartState {
  readonly version: string;
  /** The place that the server listens on, as the system tells it. */
  readonly address: BoundAddress;
  readonly blobs: number;
  readonly bytes: number;
}

/** Returns the text that an operator sees when Larder starts. */
export function startBlock(config: Config, { version, address, blobs, bytes }: StartState): string {
  const cap =
    config.cache.maxSize === undefined ? ', unlimited' : ` of ${formatByteSize(config.cache.maxSize)}`;
  const rows: [string, string][] = [
    ['listening', listeningLine(address, config)],
    ['cache', `${config.cache.directory} (${blobs} blobs, ${shortSize(bytes)}${cap})`],
    ['upstreams', upstreamNames(config)],
    ['access', accessLine(config)],
    ['docker', dockerLine(address, config)],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`);
  return [`larder ${version}`, ...lines, ''].join('\n');
}

function listeningLine(address: BoundAddress, config: Config): string {
  if ('path' in address) return `unix:${address.path}${config.tls === undefined ? '' : ', by https'}`;
  const url = urlOf(address, config);
  return isEverywhere(address.host) ? `${url}, and every other address of this machine` : url;
}

function dockerLine(address: BoundAddress, config: Config): string {
  // Docker connects to no Unix socket.
  if ('path' in address) return 'by the address of the proxy in front (docs/tls.md)';
  const path = dockerMirrorPath(config);
  if (path === undefined)
    return 'not by registry-mirrors: docker.io is closed, and Docker has no credentials for mirrors';
  const versions = path === '' ? '' : `, ${versionsLine(config)}`;
  return `{ "registry-mirrors": ["${urlOf(address, config)}${path}"] }  in /etc/docker/daemon.json${versions}`;
}

function versionsLine(config: Config): string {
  const hosts = dockerMirrorHosts(config).join(', ');
  const older = hosts === '' ? '' : `; for older ones without the path, by the name ${hosts}`;
  return `from Docker 24.0.8 and 25.0 on${older} (docs/clients.md)`;
}

function urlOf({ host, port }: Extract<BoundAddress, { port: number }>, { tls }: Config): string {
  const name = isEverywhere(host) ? 'localhost' : host;
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function upstreamNames({ upstreams, defaultUpstream, offline }: Config): string {
  const names = upstreams.map(({ name }) => (name === defaultUpstream ? `${name} (default)` : name));
  return `${names.join(', ')}${offline ? '; offline: none is contacted' : ''}`;
}
