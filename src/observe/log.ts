import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { LarderEvent, Listener, ServedRequest } from '../events.ts';
import { createDenialLog } from './denials.ts';
import type { Log, WritePlain } from './logger.ts';
import { messageOf } from './message-of.ts';

/** Makes a listener that writes log lines: one access line per request, and the events that concern an operator. */
export function createLogListener({ logger, writePlain }: Log, clock: Pick<Clock, 'monotonic'>): Listener {
  const logDenial = createDenialLog(logger, clock);
  // While the disk is known to fail, further failures of it are no news.
  let isDiskFailing = false;
  return (event) => {
    if (event.kind === 'request-served') return logAccess(writePlain, event.request);
    if (event.kind === 'access-denied') return logDenial(event);
    if (event.kind === 'disk-changed') isDiskFailing = event.state === 'failing';
    if (event.kind === 'store-failed' && isDiskFailing) return logStoreFailure(logger, event, 'debug');
    write(logger, event);
  };
}

type Of<Kind extends LarderEvent['kind']> = Extract<LarderEvent, { kind: Kind }>;
type Write<Kind extends LarderEvent['kind']> = (logger: Logger, event: Of<Kind>) => void;

/** How each event is written; undefined: it is for the metrics alone, or its writer is the listener's own. */
const WRITERS: { readonly [Kind in LarderEvent['kind']]: Write<Kind> | undefined } = {
  'request-served': undefined,
  'upstream-request': (logger, event) => logger.debug(withoutKind(event), 'upstream request'),
  'breaker-changed': logBreaker,
  'account-changed': logAccount,
  'authority-changed': logAuthority,
  'issuer-changed': logIssuer,
  'login-failed': logFailedLogin,
  'access-changed': logAccessChange,
  'certificate-changed': logCertificate,
  'fill-started': (logger, event) => logger.debug(withoutKind(event), 'fill started'),
  'fill-resumed': (logger, event) => logger.warn(withoutKind(event), 'upstream broke off, fill resumed'),
  'fill-ended': logFillEnd,
  'verification-failed': (logger, event) =>
    logger.error(described(event), 'upstream sent wrong bytes, nothing was stored'),
  'tag-moved': (logger, event) => logger.info(withoutKind(event), 'tag moved'),
  'stale-served': (logger, event) => logger.warn(described(event), 'served stale'),
  'store-failed': (logger, event) => logStoreFailure(logger, event, 'error'),
  'eviction-ended': logEviction,
  'disk-changed': logDisk,
  'blob-quarantined': (logger, event) =>
    logger.error(described(event), 'stored bytes were wrong: memory or the next pull has the right ones'),
  'index-replaced': logIndex,
  'keys-replaced': (logger, event) =>
    logger.error(described(event), 'the keys of tokens were damaged, clients get new tokens'),
  'index-upgrade-begun': logIndex,
  'index-upgraded': logIndex,
  'maintenance-ended': logMaintenance,
  'maintenance-failed': logMaintenance,
  'server-failed': (logger, event) =>
    logger.error(described(event), 'the server made a mistake, this is a bug of Larder'),
  'access-denied': undefined,
  evicted: undefined,
  'upstream-bytes': undefined,
  'rate-limit': undefined,
};

function write<Kind extends LarderEvent['kind']>(logger: Logger, event: Of<Kind>): void {
  WRITERS[event.kind]?.(logger, event);
}

function logStoreFailure(logger: Logger, event: Of<'store-failed'>, level: 'debug' | 'error'): void {
  logger[level](described(event), 'the cache could not do its work');
}

/** An access line has no field that may be a secret, and a search for one costs more than writing the line. */
function logAccess(writePlain: WritePlain, request: ServedRequest): void {
  const { error } = request;
  const fields = error === undefined ? request : { ...request, error: messageOf(error) };
  writePlain(levelOf(request), fields, 'request');
}

function levelOf({ status, complete, error, requestKind }: ServedRequest): 'debug' | 'info' | 'warn' {
  if (status >= 500 || (!complete && error !== undefined)) return 'warn';
  return requestKind === 'other' || requestKind === 'ping' ? 'debug' : 'info';
}

function logFillEnd(logger: Logger, event: Extract<LarderEvent, { kind: 'fill-ended' }>): void {
  if (event.outcome === 'failed') logger.warn(described(event), 'fill failed');
  else logger.debug(described(event), 'fill ended');
}

function logBreaker(logger: Logger, event: Extract<LarderEvent, { kind: 'breaker-changed' }>): void {
  if (event.state === 'open')
    logger.warn(described(event), 'upstream does not answer, it is left alone for a while');
  else if (event.state === 'closed') logger.info(described(event), 'upstream answers again');
  else logger.debug(described(event), 'upstream is tried again');
}

function logAccount(logger: Logger, event: Extract<LarderEvent, { kind: 'account-changed' }>): void {
  if (event.state === 'accepted')
    logger.info(described(event), 'upstream takes the configured account again');
  else logger.warn(described(event), 'upstream refuses the configured account: look at its credentials');
}

function logAuthority(logger: Logger, event: Extract<LarderEvent, { kind: 'authority-changed' }>): void {
  if (event.state === 'renewed') logger.info(described(event), 'the file of `ca` has changed and is in use');
  else logger.warn(described(event), 'the file of `ca` cannot be used, what it said before still counts');
}

function logIssuer(logger: Logger, event: Extract<LarderEvent, { kind: 'issuer-changed' }>): void {
  if (event.state === 'ok') logger.info(described(event), 'the keys of the issuer can be fetched again');
  else
    logger.warn(
      described(event),
      'the keys of the issuer cannot be fetched: known ones stay in use for a day',
    );
}

function logFailedLogin(logger: Logger, event: Of<'login-failed'>): void {
  if (event.failure === 'unavailable')
    logger.error(described(event), 'the credentials of a client cannot be checked');
  else logger.warn(described(event), 'a login failed');
}

function logAccessChange(logger: Logger, event: Of<'access-changed'>): void {
  if (event.state === 'changed')
    logger.info(described(event), `the file of ${event.source} has changed and is in use`);
  else
    logger.error(
      described(event),
      `the file of ${event.source} cannot be used, what it said before still counts`,
    );
}

function logCertificate(logger: Logger, event: Extract<LarderEvent, { kind: 'certificate-changed' }>): void {
  if (event.state === 'renewed') logger.info('the files of `tls` have changed and are in use');
  else
    logger.error(described(event), 'the files of `tls` cannot be used, what they said before still counts');
}

function logIndex(
  logger: Logger,
  event: Extract<LarderEvent, { kind: 'index-replaced' | 'index-upgrade-begun' | 'index-upgraded' }>,
): void {
  if (event.kind === 'index-replaced') {
    logger.error(described(event), 'the index was damaged, it is built anew from what is stored');
  } else if (event.kind === 'index-upgrade-begun') {
    logger.info(
      withoutKind(event),
      'the index is of an older version and is upgraded, which may take minutes',
    );
  } else {
    logger.info(withoutKind(event), 'the index was of an older version and has been upgraded');
  }
}

function logMaintenance(
  logger: Logger,
  event: Extract<LarderEvent, { kind: 'maintenance-ended' | 'maintenance-failed' }>,
): void {
  if (event.kind === 'maintenance-failed') {
    logger.error(described(event), 'maintenance failed');
    return;
  }
  const { task, durationMs, stats } = event;
  const fields = { task, durationMs: Math.round(durationMs), ...stats };
  logger.info(fields, task === 'verify' ? 'the store is verified' : 'index and disk agree');
}

function logEviction(logger: Logger, event: Extract<LarderEvent, { kind: 'eviction-ended' }>): void {
  if (event.missing > 0 || event.error !== undefined) {
    logger.warn(described(event), "evicted too little: what is left is pinned, in use, or not the cache's");
  } else logger.info(described(event), 'evicted');
}

function logDisk(logger: Logger, event: Extract<LarderEvent, { kind: 'disk-changed' }>): void {
  if (event.state === 'ok') logger.info('the cache can be written to again');
  else logger.error(described(event), 'the cache cannot be written to: new pulls go through it to upstream');
}

function withoutKind(event: LarderEvent): object {
  const { kind: _, ...fields } = event;
  return fields;
}

/** Returns the event with its error as one line of text, causes included: the log gets no stacks or foreign objects. */
function described(event: LarderEvent & { readonly error?: unknown }): object {
  const fields: Record<string, unknown> = { ...withoutKind(event) };
  if (event.error === undefined) delete fields['error'];
  else fields['error'] = messageOf(event.error);
  return fields;
}
