import { describe, expect, test } from 'vitest';
import { classifyNetworkError, classifyStatus } from './classify.ts';
import { NO_PROBLEM, type Problem } from './problem.ts';

const code = (...codes: string[]): Problem => ({ codes, message: undefined });
const text = (message: string): Problem => ({ codes: [], message });

describe('classifyStatus', () => {
  test.each([
    [404, code('MANIFEST_UNKNOWN'), 'absent', 'not-found'],
    [404, code('NAME_UNKNOWN'), 'absent', 'not-found'],
    [404, NO_PROBLEM, 'absent', 'not-found'],
    [410, NO_PROBLEM, 'absent', 'not-found'],
    [400, code('NAME_INVALID'), 'absent', 'not-found'],
    [400, code('MANIFEST_UNKNOWN'), 'absent', 'not-found'],
    [400, code('DIGEST_INVALID'), 'absent', 'not-found'],
    [400, NO_PROBLEM, 'unavailable', 'status'],
    [400, code('UNSUPPORTED'), 'denied', 'rejected'],
    [401, code('UNAUTHORIZED'), 'denied', 'unauthorized'],
    [401, NO_PROBLEM, 'denied', 'unauthorized'],
    [403, code('DENIED'), 'denied', 'unauthorized'],
    [403, text('blocked by policy'), 'denied', 'unauthorized'],
    [400, code('DENIED'), 'denied', 'unauthorized'],
    [402, NO_PROBLEM, 'denied', 'rejected'],
    [409, NO_PROBLEM, 'denied', 'rejected'],
    [412, code('PROJECTPOLICYVIOLATION'), 'denied', 'rejected'],
    [412, NO_PROBLEM, 'denied', 'rejected'],
    [414, NO_PROBLEM, 'denied', 'rejected'],
    [451, NO_PROBLEM, 'denied', 'rejected'],
    [405, NO_PROBLEM, 'denied', 'rejected'],
    [407, NO_PROBLEM, 'unavailable', 'status'],
    [408, NO_PROBLEM, 'unavailable', 'timeout'],
    [416, NO_PROBLEM, 'unavailable', 'status'],
    [429, code('TOOMANYREQUESTS'), 'throttled', 'rate-limit'],
    [429, NO_PROBLEM, 'throttled', 'rate-limit'],
    [429, text('Too Many Requests'), 'throttled', 'abuse-limit'],
    [400, code('TOOMANYREQUESTS'), 'throttled', 'rate-limit'],
    [500, NO_PROBLEM, 'unavailable', 'status'],
    [500, code('MANIFEST_UNKNOWN'), 'unavailable', 'status'],
    [502, text('bad gateway'), 'unavailable', 'status'],
    [503, code('UNAVAILABLE'), 'unavailable', 'status'],
    [504, NO_PROBLEM, 'unavailable', 'timeout'],
    [302, NO_PROBLEM, 'unavailable', 'status'],
  ] as const)('%i %j is %s, %s', (status, problem, failure, reason) => {
    expect(classifyStatus(status, problem)).toMatchObject({ failure, reason });
  });

  test('the message says what upstream said', () => {
    const problem = { codes: ['DENIED'], message: 'access forbidden' };
    expect(classifyStatus(403, problem).message).toBe('answered 403 DENIED: access forbidden');
    expect(classifyStatus(500, NO_PROBLEM).message).toBe('answered 500');
  });
});

describe('classifyNetworkError', () => {
  const coded = (code: string, extra: object = {}): Error => Object.assign(new Error('x'), { code }, extra);

  test.each([
    [coded('ECONNREFUSED'), 'refused'],
    [coded('ECONNRESET'), 'reset'],
    [coded('EPIPE'), 'reset'],
    [coded('UND_ERR_SOCKET'), 'reset'],
    [coded('ENOTFOUND'), 'dns'],
    [coded('EAI_AGAIN'), 'dns'],
    [coded('ETIMEDOUT'), 'timeout'],
    [coded('UND_ERR_CONNECT_TIMEOUT'), 'timeout'],
    [coded('UND_ERR_HEADERS_TIMEOUT'), 'timeout'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls'],
    [coded('CERT_HAS_EXPIRED'), 'tls'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls'],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'tls'],
    [coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'tls'],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls'],
    [coded('EPROTO'), 'tls'],
    [coded('HPE_INVALID_CONSTANT'), 'content'],
    [coded('UND_ERR_HEADERS_OVERFLOW'), 'content'],
    [coded('EHOSTUNREACH'), 'network'],
    [new Error('x', { cause: coded('ECONNREFUSED') }), 'refused'],
    [new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]), 'refused'],
    [new Error('x'), 'network'],
    [undefined, 'network'],
    ['text', 'network'],
  ])('%s: %s', (error, reason) => {
    expect(classifyNetworkError(error)).toMatchObject({ failure: 'unavailable', reason });
  });

  test('the message names the code, never the text of the error', () => {
    const error = coded('ECONNREFUSED', { message: 'connect to https://a/?token=secret' });
    expect(classifyNetworkError(error).message).toBe('connection refused (ECONNREFUSED)');
  });
});
