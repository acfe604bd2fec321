/** The characters that no value may hold: all controls but the tab (RFC 9110 §5.5). */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

const CHUNKED = /^transfer-encoding:(?:.*,)?[ \t]*chunked$/i;
const LENGTH = /^content-length:/i;
const FRAMING = /^(?:content-length|transfer-encoding)$/i;
const CONNECTION = /^(?:connection|keep-alive):/i;

/**
 * Mends small mistakes in the head of an HTTP/1 response, which other clients tolerate and strict parsers refuse. In
 * the result, lines end in CRLF, folded lines are joined, no blank comes before a colon or after a length, and controls
 * are blanks (RFC 9112 §2.2, §5.1, §5.2; RFC 9110 §5.5). Equal lengths become one, and lengths beside `chunked`, which
 * overrides them, are removed (RFC 9112 §6.3). Lengths that differ stay, so that the parser refuses them.
 * @param head in latin1, with its blank line
 * @returns `head` itself if nothing needs mending; else one that closes its connection, since a server that is careless
 *   about the end of a body may be careless about the beginning of the next answer
 */
export function tidyHead(head: string): string {
  const [status = '', ...lines] = unfold(head.split(/\r?\n/).slice(0, -2));
  const fields = withOneLength(lines.map(tidyField));
  if (format(status, fields) === head) return head;
  return format(status, [...fields.filter((field) => !CONNECTION.test(field)), 'Connection: close']);
}

/** Whether another head follows: after 100 to 199, except 101, after which the connection no longer carries HTTP. */
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

/** Mends a field. A line that is no field stays as it is, so that the parser refuses it. */
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
