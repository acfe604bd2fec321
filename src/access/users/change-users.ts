import { readFile } from 'node:fs/promises';
import { hash } from 'bcryptjs';
import { readCredentials } from '../credentials.ts';
import { changeFile, type Pause } from '../files/change-file.ts';
import { DEFAULT_COST, MAX_PASSWORD_BYTES, withoutUser, withUser } from './htpasswd.ts';
import { parseUsers } from './users.ts';

/** Returns why the text can be no password; undefined: it can. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'the password is empty';
  const bytes = Buffer.byteLength(password);
  if (bytes > MAX_PASSWORD_BYTES)
    return `the password has ${bytes} bytes: bcrypt reads at most ${MAX_PASSWORD_BYTES}`;
  if (/\p{Cc}/u.test(password)) return 'the password contains a control character';
  if (!password.isWellFormed()) return 'the password is no valid text';
  const basic = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  if (readCredentials(basic).kind !== 'password') return 'the password has the form of a token';
  return undefined;
}

/**
 * Sets the password of a user, or adds the user; other lines stay as they are. Makes the file if there is none.
 * @throws Error if the file cannot be changed
 */
export async function setPassword(
  { path, user, password }: { readonly path: string; readonly user: string; readonly password: string },
  pause: Pause,
): Promise<void> {
  // Before the file is taken: it takes long.
  const hashed = await hash(password, DEFAULT_COST);
  await changeFile(path, pause, (text = '') => withUser(text, user, hashed));
}

/**
 * Removes a user.
 * @returns false if there is no such user
 * @throws Error if the file cannot be changed
 */
export async function removeUser(path: string, user: string, pause: Pause): Promise<boolean> {
  let isRemoved = false;
  await changeFile(path, pause, (text = '') => {
    const rest = withoutUser(text, user);
    isRemoved = rest !== undefined;
    return rest;
  });
  return isRemoved;
}

/** Returns why the file cannot be used as a whole; undefined: it can. A running server keeps the last users until then. */
export async function fileProblem(path: string): Promise<string | undefined> {
  try {
    parseUsers(path, await readFile(path, 'utf8'));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
