/** What the operator's configuration says about an upstream, as far as it decides whose word is enough. */
export interface PermissionPolicy {
  /** Whether all clients may pull the same: there is no account, and no rule keeps a repository from any client. */
  readonly isOpen: boolean;
  /** Whether the registry takes a manifest only if it has all that the manifest names: claims are then its own word. */
  readonly checksReferences: boolean;
}

/** How recovered bytes may be served: their row was lost, so it is not known which upstream has given them. */
export interface RecoveredPolicy {
  /** Whether they are served while upstream cannot be asked: if no upstream has credentials (docs/adr/0005). */
  readonly isServed: boolean;
  /** Whether an upstream's word is enough for them: if none has credentials, or there is only one. */
  readonly isWordEnough: boolean;
}
