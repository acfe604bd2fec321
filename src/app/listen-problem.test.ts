import { expect, test } from 'vitest';
import type { ListenAddress } from '../config/values/listen-address.ts';
import { listenProblem } from './listen-problem.ts';

test.each<[ListenAddress, string, string]>([
  [{ host: '127.0.0.1', port: 5000 }, 'EADDRINUSE', '127.0.0.1:5000: another program listens there already'],
  [{ host: '::1', port: 5000 }, 'EADDRINUSE', '[::1]:5000: another program listens there already'],
  [{ host: undefined, port: 443 }, 'EACCES', ':443: no permission; ports below 1024 need one'],
  [{ host: '192.0.2.1', port: 5000 }, 'EADDRNOTAVAIL', '192.0.2.1:5000: this machine has no such address'],
  [{ host: 'mirror', port: 5000 }, 'ENOTFOUND', 'mirror:5000: there is no host of this name'],
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
