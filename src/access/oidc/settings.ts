/** What is configured of one OpenID Connect issuer. */
export interface OidcSettings {
  /** Its name in rules and in the log. */
  readonly name: string;
  /** The claim `iss` of its tokens, character by character. Its keys are found below this URL. */
  readonly issuer: string;
  /** One of these must be in the claim `aud`. */
  readonly audience: readonly string[];
  /** What further claims must be. In a text, `*` stands for any characters. */
  readonly claims: Readonly<Record<string, string>>;
  /** The claim that names the subject's groups. */
  readonly groups?: string | undefined;
  /** Whether the claim `sub` names a Kubernetes service account. */
  readonly serviceAccounts: boolean;
  /** Where its keys are; undefined: where its discovery document says. */
  readonly jwksUrl?: URL | undefined;
}
