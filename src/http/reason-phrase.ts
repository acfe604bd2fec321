/** Clients put it into one line with words of their own. */
const MAX_LENGTH = 200;

/**
 * A message as the reason phrase of a status line: printable ASCII, one line, at most 200 characters. Of a 5xx dockerd,
 * containerd, CRI and podman show the phrase, and nothing of the body. RFC 9112 §4 would allow more characters, which
 * clients read differently.
 */
export function formatReasonPhrase(message: string): string {
  const ascii = message
    .slice(0, 2 * MAX_LENGTH)
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .replaceAll(/[^ -~]+/g, '?')
    .trim();
  return ascii.length > MAX_LENGTH ? `${ascii.slice(0, MAX_LENGTH - 3)}...` : ascii;
}
