import { formatByteSize } from '../../config/values/byte-size.ts';
import type { Config } from '../../config/config.ts';
import { accessLine, dockerMirrorPath } from './access-line.ts';
import { shortSize } from './short-size.ts';

/** The facts that are known once the server listens. Sizes in bytes. */
export interface StartState {
  readonly version: string;
  /** The address that the server listens on, as the system tells it. */
  readonly host: string;
  readonly port: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** Returns the text that an operator sees when Larder starts. */
export function startBlock(config: Config, { version, host, port, blobs, bytes }: StartState): string {
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const url = urlOf(isEverywhere ? 'localhost' : host, port);
  const cap =
    config.cache.maxSize === undefined ? ', unlimited' : ` of ${formatByteSize(config.cache.maxSize)}`;
  const rows: [string, string][] = [
    ['listening', isEverywhere ? `${url}, and every other address of this machine` : url],
    ['cache', `${config.cache.directory} (${blobs} blobs, ${shortSize(bytes)}${cap})`],
    ['upstreams', upstreamNames(config)],
    ['access', accessLine(config)],
    ['docker', dockerLine(url, config)],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`);
  return [`larder ${version}`, ...lines, ''].join('\n');
}

function dockerLine(url: string, config: Config): string {
  const path = dockerMirrorPath(config);
  if (path === undefined)
    return 'not by registry-mirrors: docker.io is closed, and Docker has no credentials for mirrors';
  return `{ "registry-mirrors": ["${url}${path}"] }  in /etc/docker/daemon.json`;
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function upstreamNames({ upstreams, defaultUpstream, offline }: Config): string {
  const names = upstreams.map(({ name }) => (name === defaultUpstream ? `${name} (default)` : name));
  return `${names.join(', ')}${offline ? '; offline: none is contacted' : ''}`;
}
