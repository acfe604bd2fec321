/** The passwords that the e2e tests give to Larder, its clients and its upstreams. */
export const PASSWORDS = {
  /** Of Larder's account at a registry. */
  registry: 'quay-side-larder',
  /** Of a user of Larder. */
  alice: 'correct-horse:battery',
  /** Of an account that the configuration names. */
  bot: 'secret-of-the-bot',
} as const;

/** What a static token, and a JSON Web Token of anyone, look like. */
const TOKEN = /larder_[0-9a-f]{12}_[\w-]{8,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/;

/** @throws Error if the text tells one of the tests' passwords, as it is or in base64 */
export function assertNoPassword(text: string, place: string): void {
  const told = Object.entries(PASSWORDS).find(([, password]) =>
    formsOf(password).some((form) => text.includes(form)),
  );
  if (told !== undefined) throw new Error(`${place} tells a password: that of ${told[0]}`);
}

/** @throws Error if the text tells one of the tests' passwords, or any token */
export function assertNoSecret(text: string, place: string): void {
  assertNoPassword(text, place);
  const [token] = TOKEN.exec(text) ?? [];
  if (token !== undefined) throw new Error(`${place} tells a token: ${token.slice(0, 12)}...`);
}

/** In base64 a text looks different at each of three offsets, so a part is taken that is the same in all texts. */
function formsOf(password: string): readonly string[] {
  const encoded = [0, 1, 2].map((offset) => {
    const whole = Buffer.from(' '.repeat(offset) + password).toString('base64');
    return whole.slice(offset === 0 ? 0 : 4, Math.floor((offset + password.length) / 3) * 4);
  });
  return [password, encodeURIComponent(password), ...encoded];
}
