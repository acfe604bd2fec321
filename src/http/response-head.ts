/** What no value may hold, but for the tab (RFC 9110 §5.5). */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

const CHUNKED = /^transfer-encoding:(?:.*,)?[ \t]*chunked$/i;
const LENGTH = /^content-length:/i;
const FRAMING = /^(?:content-length|transfer-encoding)$/i;
const CONNECTION = /^(?:connection|keep-alive):/i;

/**
 * The head of an HTTP/1 response as HTTP wants it: what other clients read in spite of small mistakes, and strict
 * parsers refuse. Lines end in CRLF, folded lines are joined, no blank is before a colon or behind a length, control
 * characters are blanks (RFC 9112 §2.2, §5.1, §5.2; RFC 9110 §5.5). Lengths that are equal are said once, and none
 * beside `chunked`, which overrides them (RFC 9112 §6.3); lengths that differ stay, to be refused.
 * @param head as latin1, its blank line included
 * @returns `head` itself where there is nothing to mend; else one that closes its connection, since a server that is
 *   careless about where a body ends may be about where the next answer begins
 */
export function tidyHead(head: string): string {
  const [status = '', ...lines] = unfold(head.split(/\r?\n/).slice(0, -2));
  const fields = withOneLength(lines.map(tidyField));
  if (format(status, fields) === head) return head;
  return format(status, [...fields.filter((field) => !CONNECTION.test(field)), 'Connection: close']);
}

/** Whether another head follows: after 100 to 199, but for 101, behind which something else than HTTP is spoken. */
export function isInterim(head: string): boolean {
  return /^HTTP\/\d\.\d 1(?!01)\d\d(?!\d)/.test(head);
}

function format(status: string, fields: readonly string[]): string {
  return `${[status, ...fields].join('\r\n')}\r\n\r\n`;
}

function unfold(lines: readonly string[]): readonly string[] {
  const unfolded: string[] = [];
  for (const line of lines) {
    const isFolded = /^[ \t]/.test(line) && unfolded.length > 1;
    if (isFolded) unfolded.push(`${unfolded.pop()} ${line.trim()}`);
    else unfolded.push(line);
  }
  return unfolded;
}

/** What is no field stays as it is, to be refused. */
function tidyField(line: string): string {
  const colon = line.indexOf(':');
  if (colon < 1) return line;
  const name = line.slice(0, colon).trimEnd();
  const value = line.slice(colon + 1).replaceAll(CONTROLS, ' ');
  return `${name}:${FRAMING.test(name) ? withoutBlankEnd(value) : value}`;
}

function withoutBlankEnd(value: string): string {
  let end = value.length;
  while (end > 0 && ' \t'.includes(value[end - 1] ?? '')) end -= 1;
  return value.slice(0, end);
}

function withOneLength(fields: readonly string[]): readonly string[] {
  const others = fields.filter((field) => !LENGTH.test(field));
  if (others.some((field) => CHUNKED.test(field))) return others;
  const lengths = fields
    .filter((field) => LENGTH.test(field))
    .flatMap((field) => field.slice(field.indexOf(':') + 1).split(','))
    .map((length) => length.trim());
  const [first, ...more] = lengths;
  if (first === undefined || more.length === 0 || more.some((length) => length !== first)) return fields;
  return [...others, `Content-Length: ${first}`];
}
