import { readFile } from 'node:fs/promises';
import { tlsFault } from '../config/source/tls-files.ts';
import type { TlsFiles } from '../server/tls/certificate-watch.ts';
import { fileVersion } from './certificate-file.ts';

/** The paths of the files that `tls` names. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

/** The files of `tls`, checked as strictly at each reading as at the start. */
export function tlsFiles(paths: TlsPaths): TlsFiles {
  const { cert, key, clientCa } = paths;
  const all = [cert, key, ...(clientCa === undefined ? [] : [clientCa])];
  return {
    version: async () => (await Promise.all(all.map(fileVersion))).join(' '),
    async read() {
      const [certText = '', keyText = '', clientCaText] = await Promise.all(
        all.map((path) => readFile(path, 'utf8')),
      );
      const texts = { cert: certText, key: keyText, clientCa: clientCaText };
      const fault = tlsFault(texts);
      if (fault === undefined) return texts;
      throw new Error(`${paths[fault.key]} is not ${fault.expected}`);
    },
  };
}
