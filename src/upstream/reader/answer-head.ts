/** The head of an answer, as far as Larder needs it. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case, repeated lines as a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly framing: Framing;
  /** How long the connection may be idle before it is used again, in milliseconds; undefined: it is not used again. */
  readonly idleMs: number | undefined;
}

/** What tells where the body ends (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** Why an answer is not of the simplest form. */
export interface Unfit {
  readonly unfit: string;
}

/** Most digits of a length: a number of bytes that a double holds exactly. */
const LENGTH = /^[0-9]{1,15}$/;
const STATUS_LINE = /^HTTP\/1\.1 ([1-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/;
/** A header to the letter (RFC 9110 §5.5, §5.6.2): no blank before the colon, and the value has no control character. */
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** How long a connection is kept if the server does not say. */
const IDLE_MS = 4_000;
const MOST_IDLE_MS = 60_000;
/** The request that finds a connection idle takes a moment to reach the server. */
const MARGIN_MS = 1_000;

/**
 * Reads the head of an answer to a GET. It accepts the simplest form alone, as every registry and object store sends
 * it; the caller has another parser for the rest.
 * @param text from the status line to the blank line, latin1
 */
export function parseHead(text: string): AnswerHead | Unfit {
  const [statusLine = '', ...lines] = text.slice(0, -'\r\n\r\n'.length).split('\r\n');
  const status = Number(STATUS_LINE.exec(statusLine)?.[1] ?? 0);
  if (status === 0) return { unfit: 'a status line of another form' };
  const fields = readFields(lines);
  if (fields === undefined) return { unfit: 'a header line of another form' };
  const framing = framingOf(status, fields);
  if ('unfit' in framing) return framing;
  return { status, headers: joined(fields), framing, idleMs: idleMsOf(fields) };
}

/** Lines by their names in lower case. */
type Fields = ReadonlyMap<string, readonly string[]>;

function readFields(lines: readonly string[]): Fields | undefined {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const key = name.toLowerCase();
    const known = fields.get(key);
    const bare = withoutBlanks(value);
    if (known === undefined) fields.set(key, [bare]);
    else known.push(bare);
  }
  return fields;
}

/**
 * Cuts blanks off both ends. A pattern would look at each blank of a long row again and again, and `trim` would take
 * other characters for blanks, too.
 */
function withoutBlanks(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function framingOf(status: number, fields: Fields): Framing | Unfit {
  const lengths = fields.get('content-length') ?? [];
  const codings = fields.get('transfer-encoding') ?? [];
  if (lengths.length + codings.length > 1) return { unfit: 'more than one length' };
  const [length] = lengths;
  const [coding] = codings;
  // Seen only at the end of the body, a trailer would break a transfer that has all of its bytes.
  if (coding !== undefined && fields.has('trailer')) return { unfit: 'a trailer' };
  if (isWithoutBody(status)) return withoutBody(status, length ?? coding);
  if (coding !== undefined) return coding === 'chunked' ? { kind: 'chunked' } : { unfit: 'another coding' };
  if (length === undefined) return { kind: 'until-close' };
  return LENGTH.test(length)
    ? { kind: 'length', bytes: Number(length) }
    : { unfit: 'a length of another form' };
}

function isWithoutBody(status: number): boolean {
  return status < 200 || status === 204 || status === 205 || status === 304;
}

/**
 * The statuses without a body are the trap of parsers: none may have a length, and most of them answer what Larder never
 * asks, such as whether to go on (100) or to switch the protocol (101).
 */
function withoutBody(status: number, length: string | undefined): Framing | Unfit {
  const isExpected = (status > 101 && status < 200) || status === 204;
  if (!isExpected || length !== undefined) return { unfit: 'a status that has no body' };
  return { kind: 'length', bytes: 0 };
}

function joined(fields: Fields): AnswerHead['headers'] {
  const headers = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, values] of fields) headers[name] = values.length === 1 ? (values[0] ?? '') : values;
  return headers;
}

function idleMsOf(fields: Fields): number | undefined {
  const connection = (fields.get('connection') ?? []).join(',').toLowerCase();
  if (connection !== '' && connection !== 'keep-alive') return undefined;
  const seconds = /(?:^|[\s,;])timeout=([0-9]{1,6})(?:$|[\s,;])/i.exec(
    (fields.get('keep-alive') ?? []).join(),
  )?.[1];
  if (seconds === undefined) return IDLE_MS;
  const idleMs = Math.min(Number(seconds) * 1000, MOST_IDLE_MS) - MARGIN_MS;
  return idleMs > 0 ? idleMs : undefined;
}
