import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyNetworkError, classifyStatus } from './classify.ts';
import type { UpstreamFailure, UpstreamFailureReason } from '../error.ts';
import { NO_PROBLEM, parseProblem } from './problem.ts';

type Row = readonly [
  who: string,
  status: number,
  body: string,
  failure: UpstreamFailure,
  reason: UpstreamFailureReason,
  isVerdict?: 'verdict',
];

const said = (code: string, message = 'x'): string => JSON.stringify({ errors: [{ code, message }] });

/** The servers that refuse a registry's client, their answers, and what each body proves. */
const REFUSALS: readonly Row[] = [
  ['distribution: no manifest', 404, said('MANIFEST_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['distribution: no blob', 404, said('BLOB_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['distribution: no repository', 404, said('NAME_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['Quay: an expired tag', 404, said('TAG_EXPIRED'), 'absent', 'not-found', 'verdict'],
  ['Red Hat: no repository', 404, said('UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['a deleted manifest', 410, said('MANIFEST_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['an invalid name', 400, said('NAME_INVALID'), 'absent', 'not-found', 'verdict'],
  ['Quay: a subject that it does not know', 400, said('MANIFEST_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['an invalid digest', 400, said('DIGEST_INVALID'), 'absent', 'not-found', 'verdict'],
  ['Docker Hub: missing or private', 401, said('UNAUTHORIZED'), 'denied', 'unauthorized', 'verdict'],
  ['GAR: missing or private', 403, said('DENIED'), 'denied', 'unauthorized', 'verdict'],
  ['public.ecr.aws: a stale token', 400, said('DENIED'), 'denied', 'unauthorized', 'verdict'],
  ['Harbor: a policy', 412, said('PROJECTPOLICYVIOLATION'), 'denied', 'rejected', 'verdict'],
  ['a registry: the law', 451, said('DENIED'), 'denied', 'rejected', 'verdict'],
  ['a registry: not supported', 400, said('UNSUPPORTED'), 'denied', 'rejected', 'verdict'],
  ['a registry: not supported', 405, said('UNSUPPORTED'), 'denied', 'rejected', 'verdict'],
  ['a registry: Accept', 406, said('MANIFEST_UNKNOWN'), 'absent', 'not-found', 'verdict'],
  ['a code in small letters', 404, said('manifest_unknown'), 'absent', 'not-found', 'verdict'],
  [
    'a document behind a byte order mark',
    404,
    `\uFEFF${said('NAME_UNKNOWN')}`,
    'absent',
    'not-found',
    'verdict',
  ],
  [
    'an entry without a code, then one with',
    404,
    '{"errors":[{},{"code":"UNKNOWN"}]}',
    'absent',
    'not-found',
    'verdict',
  ],
  ['a document of 200 KiB', 404, said('UNKNOWN', 'x'.repeat(200_000)), 'absent', 'not-found', 'verdict'],

  ['an ingress without a backend', 404, 'default backend - 404', 'absent', 'not-found'],
  ['nginx', 404, '<html><head><title>404 Not Found</title></head></html>', 'absent', 'not-found'],
  ['Go', 404, '404 page not found\n', 'absent', 'not-found'],
  ['a HEAD', 404, '', 'absent', 'not-found'],
  ['Kong', 404, '{"message":"no Route matched with those values"}', 'absent', 'not-found'],
  ['Spring', 404, '{"timestamp":1,"status":404,"error":"Not Found","path":"/v2/"}', 'absent', 'not-found'],
  ['Artifactory', 404, '{"errors":[{"status":404,"message":"Not Found"}]}', 'absent', 'not-found'],
  ['a text for errors', 404, '{"errors":"not found"}', 'absent', 'not-found'],
  ['no errors', 404, '{"errors":[]}', 'absent', 'not-found'],
  ['an object for errors', 404, '{"errors":{"code":"MANIFEST_UNKNOWN"}}', 'absent', 'not-found'],
  ['a number for a code', 404, '{"errors":[{"code":404}]}', 'absent', 'not-found'],
  ['a number in quotes', 404, '{"errors":[{"code":"404"}]}', 'absent', 'not-found'],
  ['an empty code', 404, '{"errors":[{"code":""}]}', 'absent', 'not-found'],
  ['a code above the document', 404, '{"code":"NAME_UNKNOWN"}', 'absent', 'not-found'],
  ['a document that is cut', 404, said('NAME_UNKNOWN').slice(0, -1), 'absent', 'not-found'],
  ['a page that quotes a document', 404, `<pre>${said('NAME_UNKNOWN')}</pre>`, 'absent', 'not-found'],
  ['S3', 404, '<Error><Code>NoSuchKey</Code></Error>', 'absent', 'not-found'],
  ['an ingress', 410, '', 'absent', 'not-found'],

  ['a web application firewall', 403, '<html>Request blocked</html>', 'unavailable', 'status'],
  ['S3: a signature', 403, '<Error><Code>AccessDenied</Code></Error>', 'unavailable', 'status'],
  ['an egress filter', 403, 'blocked by policy', 'unavailable', 'status'],
  ['a proxy before the registry', 401, '<html>Authorization Required</html>', 'unavailable', 'status'],
  ['AWS: an API', 403, '{"message":"Forbidden"}', 'unavailable', 'status'],
  ['a gateway', 400, '<html>The plain HTTP request was sent to HTTPS port</html>', 'unavailable', 'status'],
  ['a provider whose bill is open', 402, '{"error":"payment required"}', 'unavailable', 'status'],
  ['a gateway', 405, '', 'unavailable', 'status'],
  ['a gateway', 406, 'Not Acceptable', 'unavailable', 'status'],
  ['a load balancer', 411, '', 'unavailable', 'status'],
  ['a proxy', 412, '', 'unavailable', 'status'],
  ['a proxy', 414, '', 'unavailable', 'status'],
  ['a protection against robots', 418, "I'm a teapot", 'unavailable', 'status'],
  ['a proxy: another host', 421, '', 'unavailable', 'status'],
  ['a gateway', 422, '{"error":"x"}', 'unavailable', 'status'],
  ['a gateway', 426, '', 'unavailable', 'status'],
  ['a gateway', 428, '', 'unavailable', 'status'],
  ['a proxy: headers', 431, '', 'unavailable', 'status'],
  ['nginx: no answer', 444, '', 'unavailable', 'status'],
  ['a page for a country', 451, '<html>Unavailable for legal reasons</html>', 'unavailable', 'status'],
  ['nginx: the client has gone', 499, '', 'unavailable', 'status'],

  ['later: a conflict', 409, said('UNKNOWN'), 'unavailable', 'status'],
  ['later: locked', 423, said('DENIED'), 'unavailable', 'status'],
  ['later: locked', 423, '', 'unavailable', 'status'],
  ['later: too early', 425, said('MANIFEST_UNKNOWN'), 'unavailable', 'status'],
  ['our own proxy', 407, said('DENIED'), 'unavailable', 'status'],
  ['too slow', 408, said('UNKNOWN'), 'unavailable', 'timeout'],
  ['a range', 416, said('RANGE_INVALID'), 'unavailable', 'status'],

  ['Docker Hub: the pull limit', 429, said('TOOMANYREQUESTS'), 'throttled', 'rate-limit'],
  ['Docker Hub: the abuse limit', 429, 'Too Many Requests', 'throttled', 'abuse-limit'],
  ['a gateway', 429, '', 'throttled', 'rate-limit'],
  ['a registry', 400, said('TOOMANYREQUESTS'), 'throttled', 'rate-limit'],

  ['a registry that broke', 500, said('MANIFEST_UNKNOWN'), 'unavailable', 'status'],
  ['a gateway', 502, 'bad gateway', 'unavailable', 'status'],
  ['a registry', 503, said('UNAVAILABLE'), 'unavailable', 'status'],
  ['a gateway', 504, '', 'unavailable', 'timeout'],
  ['a redirect that is not followed', 302, said('NAME_UNKNOWN'), 'unavailable', 'status'],
];

describe('classifyStatus', () => {
  test.each(
    REFUSALS.map(([who, status, body, failure, reason, verdict = 'unproven']) => ({
      title: `${who}: ${status} ${body.slice(0, 50)} is ${failure} (${reason}), ${verdict}`,
      status,
      body,
      failure,
      reason,
      verdict,
    })),
  )('$title', ({ status, body, failure, reason, verdict }) => {
    const classified = classifyStatus(status, parseProblem(body));
    expect(classified).toMatchObject({ failure, reason, isVerdict: verdict === 'verdict' });
  });

  test('only a 4xx with a code is a verdict, and only as absent or denied', () => {
    const codes = fc.array(fc.constantFrom('MANIFEST_UNKNOWN', 'DENIED', 'TOOMANYREQUESTS', 'X'));
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), codes, (status, codes) => {
        const { isVerdict, failure } = classifyStatus(status, { codes, message: undefined });
        if (!isVerdict) return;
        expect(status >= 400 && status < 500 && codes.length > 0).toBe(true);
        expect(['absent', 'denied']).toContain(failure);
      }),
    );
  });

  test("the message contains upstream's own", () => {
    const problem = { codes: ['DENIED'], message: 'access forbidden' };
    expect(classifyStatus(403, problem).message).toBe('answered 403 DENIED: access forbidden');
    expect(classifyStatus(500, NO_PROBLEM).message).toBe('answered 500');
    expect(classifyStatus(403, NO_PROBLEM).message).toBe("answered 403 without a registry's error document");
    expect(classifyStatus(429, NO_PROBLEM).message).toBe('answered 429');
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
