const MAX_CAUSES = 5;

/**
 * Returns the messages of an error and its causes as one line of text, the outermost first. Leaves out messages that an
 * outer one contains already; never shows stacks or foreign objects.
 */
export function messageOf(error: unknown): string {
  const messages: string[] = [];
  let current = error;
  // Bounded, since causes may form a circle.
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    const { message } = current;
    if (message !== '' && !messages.some((outer) => outer.includes(message))) messages.push(message);
    current = current.cause;
  }
  if (messages.length > 0) return messages.join(': ');
  return error instanceof Error ? error.name : String(error);
}
