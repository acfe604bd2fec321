import type { Logger } from 'pino';
import type { LarderEvent, Listener, ServedRequest } from '../events.ts';
import { messageOf } from './message-of.ts';

/** Makes a listener that writes log lines: one access line per request, and the events that concern an operator. */
export function createLogListener(logger: Logger): Listener {
  // An access line has no field that may be a secret, and a search for one costs more than writing the line.
  const accessLogger = logger.child({}, { redact: [] });
  // While the disk is known to fail, further failures of it are no news.
  let isDiskFailing = false;
  return (event) => {
    switch (event.kind) {
      case 'request-served':
        logAccess(accessLogger, event.request);
        return;
      case 'upstream-request':
        logger.debug(withoutKind(event), 'upstream request');
        return;
      case 'breaker-changed':
        logBreaker(logger, event);
        return;
      case 'account-changed':
        logAccount(logger, event);
        return;
      case 'authority-changed':
        logAuthority(logger, event);
        return;
      case 'fill-started':
        logger.debug(withoutKind(event), 'fill started');
        return;
      case 'fill-resumed':
        logger.warn(withoutKind(event), 'upstream broke off, fill resumed');
        return;
      case 'fill-ended':
        logFillEnd(logger, event);
        return;
      case 'verification-failed':
        logger.error(described(event), 'upstream sent wrong bytes, nothing was stored');
        return;
      case 'tag-moved':
        logger.info(withoutKind(event), 'tag moved');
        return;
      case 'stale-served':
        logger.warn(described(event), 'served stale');
        return;
      case 'store-failed':
        logger[isDiskFailing ? 'debug' : 'error'](described(event), 'the cache could not do its work');
        return;
      case 'eviction-ended':
        logEviction(logger, event);
        return;
      case 'disk-changed':
        isDiskFailing = event.state === 'failing';
        logDisk(logger, event);
        return;
      case 'blob-quarantined':
        logger.error(described(event), 'stored bytes were wrong: memory or the next pull has the right ones');
        return;
      case 'index-replaced':
      case 'index-upgrade-begun':
      case 'index-upgraded':
        logIndex(logger, event);
        return;
      case 'maintenance-ended':
      case 'maintenance-failed':
        logMaintenance(logger, event);
        return;
      case 'server-failed':
        logger.error(described(event), 'the server made a mistake, this is a bug of Larder');
        return;
      case 'evicted':
      case 'upstream-bytes':
      case 'rate-limit':
        return;
    }
  };
}

function logAccess(logger: Logger, request: ServedRequest): void {
  const { error } = request;
  const fields = error === undefined ? request : { ...request, error: messageOf(error) };
  if (request.status >= 500 || (!request.complete && error !== undefined)) logger.warn(fields, 'request');
  else if (request.requestKind === 'other' || request.requestKind === 'ping') logger.debug(fields, 'request');
  else logger.info(fields, 'request');
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
