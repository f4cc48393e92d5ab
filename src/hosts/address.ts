/** Where a password is found: never the password itself, as an address goes to the journal. */
export type PasswordFrom = { env: string } | { file: string }

/** How a host is reached. Host keys are known before the first connection, the identity is a path, never a key. */
export type HostAddress = {
  name: string
  address: string
  port: number
  user: string
  /** Public host keys on record, e.g. `ssh-ed25519 AAAA...`; empty: those in `knownHosts`. */
  hostKey: string | string[]
  /** known_hosts files. What they revoke is refused in any case. */
  knownHosts?: string[]
  /** The name it has in them, where it is not its address. */
  hostKeyAlias?: string
  /** Paths of the keys to log in with; the public half will do for a key in an agent. Absent: the agent's own. */
  identity?: string | string[]
  /** Where the passphrase of `identity` is found. */
  passphrase?: PasswordFrom
  /** An agent's socket, or `none`; absent: that of SSH_AUTH_SOCK. */
  agent?: string
  /** An ssh_config: what it says of `name` counts for all that is left out here. */
  config?: string
  /** For slow links. It costs round trips. */
  compress?: boolean
  /** How `user` becomes root where sudo asks for a password. */
  become?: { password: PasswordFrom }
  /** A bastion to go through. */
  jump?: HostAddress
}

export const where = ({ user, address, port }: HostAddress) => `${user}@${address}:${port}`

/** Everything that makes two connections interchangeable. */
export const keyOf = (host: HostAddress): string =>
  JSON.stringify({ ...host, name: '', jump: host.jump && keyOf(host.jump) })
