import { expect, it, vi } from 'vitest';
import { printJson } from './print-json.ts';

it('what a terminal would obey is escaped, and means the same', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const value = { title: 'a\u009b2J\u202eb' };
  printJson(value);
  const [text] = log.mock.calls[0] ?? [];
  log.mockRestore();
  expect(text).toBe('{\n  "title": "a\\u009b2J\\u202eb"\n}');
  expect(JSON.parse(String(text))).toEqual(value);
});
