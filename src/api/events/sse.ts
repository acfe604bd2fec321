/** A message of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
  /** Absent: the id of the message before it still counts. */
  readonly id?: string | undefined;
}

/** A line that clients ignore, but that keeps proxies from closing a silent connection. */
export const HEARTBEAT = ':\n\n';

/** @param message its data and id have no line breaks */
export function formatSse({ event, data, id }: SseMessage): string {
  const identified = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${event}\n${identified}data: ${data}\n\n`;
}

/** Most characters of one message: a server that sends more is not understood. */
const MAX_MESSAGE = 1024 * 1024;

/** Reads the messages of a stream, as this API writes them. @throws Error for a message that has no end */
export async function* parseSse(chunks: AsyncIterable<string>): AsyncGenerator<SseMessage> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    if (text.length > MAX_MESSAGE) throw new Error('an event of the stream has no end');
    for (const message of messages) yield* parseMessage(message);
  }
}

function parseMessage(text: string): readonly SseMessage[] {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, value);
  }
  const data = fields.get('data');
  if (data === undefined) return [];
  return [{ event: fields.get('event') ?? 'message', data, id: fields.get('id') }];
}
