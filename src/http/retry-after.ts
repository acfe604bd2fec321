/** Longest wait, a day: no foreign header may make a client wait longer. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;

/**
 * Returns the wait that an upstream's Retry-After asks for, in milliseconds from 0 to a day (RFC 9110 §10.2.3).
 * @param now milliseconds since the epoch, since the header may name a date
 * @returns undefined if it is neither a number of seconds nor an HTTP date
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^[0-9]+$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, Math.min(MAX_WAIT_MS, waitMs));
}

/** Formats a wait in milliseconds as whole seconds, rounded up, from 1 to a day. */
export function formatRetryAfter(waitMs: number): string {
  return String(Math.ceil(Math.max(1000, Math.min(MAX_WAIT_MS, waitMs)) / 1000));
}

/** RFC 9110 §5.6.7: the form in use and the two obsolete ones, all in GMT. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

function parseHttpDate(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}
