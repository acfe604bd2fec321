/** Most characters: clients show the phrase in one line with words of their own. */
const MAX_LENGTH = 200;

/**
 * Formats a message as the reason phrase of a status line: printable ASCII, one line, at most 200 characters. Dockerd,
 * containerd, CRI and podman show the phrase of a 5xx, and nothing of its body. RFC 9112 §4 would allow more kinds of
 * characters, but clients read them differently.
 */
export function formatReasonPhrase(message: string): string {
  const ascii = message
    .slice(0, 2 * MAX_LENGTH)
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .replaceAll(/[^ -~]+/g, '?')
    .trim();
  return ascii.length > MAX_LENGTH ? `${ascii.slice(0, MAX_LENGTH - 3)}...` : ascii;
}
