import type { ListenAddress } from '../config/values/addresses/listen-address.ts';
import { formatListenAddress } from '../config/values/addresses/listen-address.ts';

/** Explanations by error code: errno(3), getaddrinfo(3). */
const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'no permission; ports below 1024 need one',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name server does not answer',
};

/** The same for a Unix socket. */
const UNIX_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EEXIST: 'a file is there that is no socket',
  ENOENT: 'its folder does not exist',
  EACCES: 'no permission to make files in its folder',
  EROFS: 'its folder is read-only',
};

/** Returns an error that says in one line why the address, which it names, cannot be listened on. */
export function listenProblem(address: ListenAddress, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const problems = 'path' in address ? UNIX_PROBLEMS : PROBLEMS;
  const problem = problems[code ?? ''];
  const why = problem === undefined ? message : `${problem} (${code})`;
  return new Error(`cannot listen on ${formatListenAddress(address)}: ${why}`, { cause: error });
}
