import type { PasswordFrom } from './become.ts'

/** How a host is reached. Host keys are known before the first connection, the identity is a path, never a key. */
export type HostAddress = {
  name: string
  address: string
  port: number
  user: string
  /** Public host keys on record, e.g. `ssh-ed25519 AAAA...`. */
  hostKey: string | string[]
  /** Path of the private key to log in with. */
  identity: string
  /** How `user` becomes root where sudo asks for a password. */
  become?: { password: PasswordFrom }
  /** A bastion to go through. */
  jump?: HostAddress
}

export const where = ({ user, address, port }: HostAddress) => `${user}@${address}:${port}`

/** Everything that makes two connections interchangeable. */
export const keyOf = (host: HostAddress): string =>
  [where(host), host.identity, host.hostKey, ...(host.jump ? [keyOf(host.jump)] : [])].flat().join(' ')
