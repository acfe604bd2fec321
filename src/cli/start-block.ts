import { formatByteSize } from '../config/byte-size.ts';
import type { Config } from '../config/config.ts';
import { shortSize } from './short-size.ts';

/** What is true once the server listens. Sizes in bytes. */
export interface StartState {
  readonly version: string;
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  readonly blobs: number;
  readonly bytes: number;
}

/** What an operator wants to see at a glance when Larder starts. */
export function startBlock(config: Config, { version, url, blobs, bytes }: StartState): string {
  const cap = config.cache.maxSize === undefined ? 'unlimited' : `of ${formatByteSize(config.cache.maxSize)}`;
  const rows: [string, string][] = [
    ['listening', url],
    ['cache', `${config.cache.directory} (${blobs} blobs, ${shortSize(bytes)} ${cap})`],
    ['upstreams', upstreamNames(config)],
    ['docker', `{ "registry-mirrors": ["${url}"] }  in /etc/docker/daemon.json`],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`);
  return [`larder ${version}`, ...lines, ''].join('\n');
}

function upstreamNames({ upstreams, defaultUpstream, offline }: Config): string {
  const names = upstreams.map(({ name }) => (name === defaultUpstream ? `${name} (default)` : name));
  return `${names.join(', ')}${offline ? '; offline: none is contacted' : ''}`;
}
