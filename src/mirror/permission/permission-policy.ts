/** What an operator's configuration says of an upstream, as far as it decides whose word is enough. */
export interface PermissionPolicy {
  /** Nothing tells those who ask apart: no account, and no rule that keeps a repository from anybody. */
  readonly isOpen: boolean;
  /** The registry takes a manifest only where it has what that names: its manifests' word is its own. */
  readonly checksReferences: boolean;
}

/** What may become of bytes whose row was lost, so that it is not known which upstream has given them. */
export interface RecoveredPolicy {
  /** Whether they are served while upstream cannot be asked: where no upstream has credentials (docs/adr/0005). */
  readonly isServed: boolean;
  /** Whether an upstream's word is enough for them: where none has credentials, or there is but one. */
  readonly isWordEnough: boolean;
}
