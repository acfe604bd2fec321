import { expect, test } from 'vitest';
import type { ListenAddress } from '../config/values/addresses/listen-address.ts';
import { listenProblem } from './listen-problem.ts';

test.each<[ListenAddress, string, string]>([
  [{ host: '127.0.0.1', port: 5000 }, 'EADDRINUSE', '127.0.0.1:5000: another program listens there already'],
  [{ host: '::1', port: 5000 }, 'EADDRINUSE', '[::1]:5000: another program listens there already'],
  [{ host: undefined, port: 443 }, 'EACCES', ':443: no permission; ports below 1024 need one'],
  [{ host: '192.0.2.1', port: 5000 }, 'EADDRNOTAVAIL', '192.0.2.1:5000: this machine has no such address'],
  [{ host: 'mirror', port: 5000 }, 'ENOTFOUND', 'mirror:5000: there is no host of this name'],
  [{ path: '/run/l.sock' }, 'EADDRINUSE', 'unix:/run/l.sock: another process listens there already'],
  [{ path: '/run/l.sock' }, 'EEXIST', 'unix:/run/l.sock: a file is there that is no socket'],
  [{ path: '/run/l.sock' }, 'ENOENT', 'unix:/run/l.sock: its folder does not exist'],
  [{ path: '/run/l.sock' }, 'EACCES', 'unix:/run/l.sock: no permission to make files in its folder'],
])('%o %s', (address, code, text) => {
  const cause = Object.assign(new Error(`listen ${code}`), { code });
  expect(listenProblem(address, cause)).toMatchObject({
    message: `cannot listen on ${text} (${code})`,
    cause,
  });
});

test('another error of the system is passed on', () => {
  const cause = Object.assign(new Error('listen EMFILE: too many open files'), { code: 'EMFILE' });
  expect(listenProblem({ host: '127.0.0.1', port: 1 }, cause).message).toBe(
    'cannot listen on 127.0.0.1:1: listen EMFILE: too many open files',
  );
});
