const MAX_CAUSES = 5;

/**
 * The messages of an error and its causes as one line of text, the outermost first. What an outer one has said
 * already is left out; stacks and foreign objects are never shown.
 */
export function messageOf(error: unknown): string {
  const messages: string[] = [];
  let current = error;
  // Counted, since causes may go in a circle.
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    const { message } = current;
    if (message !== '' && !messages.some((outer) => outer.includes(message))) messages.push(message);
    current = current.cause;
  }
  if (messages.length > 0) return messages.join(': ');
  return error instanceof Error ? error.name : String(error);
}
