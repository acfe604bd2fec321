import { expect, test } from 'vitest';
import { MemoryHosts, type MemoryAnswer } from '../../../test/support/memory-host.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import { isRefused, refusalOfAccount } from './refused.ts';

function answered(answer: MemoryAnswer): Promise<UpstreamResponse> {
  return new MemoryHosts(() => answer).send({
    method: 'GET',
    url: new URL('https://r.example/v2/'),
    headers: {},
  });
}

const said = (code: string, message = ''): unknown => ({ errors: [{ code, message }] });
const challenged = (error: string): Readonly<Record<string, string>> => ({
  'www-authenticate': `Bearer realm="https://r.example/token",error="${error}"`,
});

test.each<[string, MemoryAnswer, sent: boolean, nothing: boolean]>([
  ['401', { status: 401 }, true, true],
  ['403', { status: 403 }, true, false],
  ['400 DENIED', { status: 400, document: said('DENIED') }, true, false],
  ['400 of another kind', { status: 400, document: said('NAME_INVALID') }, false, false],
  ['404 DENIED', { status: 404, document: said('DENIED') }, false, false],
  ['200', { status: 200 }, false, false],
])('%s may be another answer with other credentials', async (_, answer, ifSent, ifNothing) => {
  expect(await isRefused(await answered(answer), true)).toBe(ifSent);
  expect(await isRefused(await answered(answer), false)).toBe(ifNothing);
});

const EXPIRED = said('DENIED', 'Your Authorization Token has expired. Reauthenticate and try again.');

test.each<[string, MemoryAnswer, password: string | undefined, token: string | undefined]>([
  ['401', { status: 401 }, 'account-refused', 'token-refused'],
  [
    '401 invalid_token',
    { status: 401, headers: challenged('invalid_token') },
    'account-refused',
    'token-refused',
  ],
  [
    '401 insufficient_scope',
    { status: 401, headers: challenged('insufficient_scope') },
    'account-refused',
    undefined,
  ],
  ['403', { status: 403 }, undefined, undefined],
  ['403 for an expired password', { status: 403, document: EXPIRED }, 'account-refused', undefined],
  ['404 in those words', { status: 404, document: EXPIRED }, undefined, undefined],
])('%s may be about the account', async (_, answer, ofPassword, ofToken) => {
  expect(await refusalOfAccount(await answered(answer), true)).toBe(ofPassword);
  expect(await refusalOfAccount(await answered(answer), false)).toBe(ofToken);
});
