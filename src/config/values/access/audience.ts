import { leaf, type Leaf } from '../leaf.ts';
import { unique } from '../list.ts';
import { ValueError } from '../value-error.ts';

/** The names by which tokens mean Larder: a text, or a list of them. */
export function audience(): Leaf<readonly string[]> {
  return leaf({
    title: 'text, or list of texts',
    read: readAudience,
    write: (names) => (names.length === 1 ? names[0] : [...names]),
  });
}

function readAudience(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const names = items.filter((item) => typeof item === 'string' && item !== '');
  if (names.length === 0 || names.length < items.length)
    throw new ValueError("the audience of Larder's tokens, a text such as mirror.example or a list of such");
  return unique(names as readonly string[]);
}
