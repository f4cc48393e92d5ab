import { Problem, type ProblemParts } from '../engine/problem.ts'
import { type HostAddress, where } from './address.ts'

/** The host did not answer: nothing was asked of it. Told apart from a host that answered and failed. */
export class Unreachable extends Problem {}

/** The connection ended under a running command: what the command did is not known until the next look. */
export class ConnectionLost extends Problem {}

const words: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to its network',
  ETIMEDOUT: 'it does not answer (timeout)',
  ECONNRESET: 'it closed the connection before the handshake was over',
}

export const unreachable = (host: HostAddress, why: string, cause?: unknown) =>
  new Unreachable(`${host.name} is unreachable at ${where(host)}`, {
    why,
    next: `check that the server runs, and that its firewall and security group let you in; then run the command again`,
    cause,
  })

export const connectionLost = (host: HostAddress, what: string) =>
  new ConnectionLost(`${host.name}: connection lost`, {
    why: `the SSH connection to ${where(host)} ended while ${what}`,
    next: 'run the command again with --resume: it looks at the host first and goes on from there',
  })

const parts = (why: string, next: string, cause: unknown): ProblemParts => ({ why, next, cause })

/** What ssh2 says, in words an operator can act on. `offered`: the key the host showed, when it was refused. */
export const connectProblem = (
  host: HostAddress,
  error: Error & { level?: string; code?: string },
  seen: { offered?: string; revoked?: boolean; greeted: boolean; keys: string[] },
): Problem => {
  if (seen.revoked)
    return new Problem(
      `${host.name}: its host key is revoked`,
      parts(
        `${where(host)} shows ${seen.offered}, which a known_hosts file marks @revoked`,
        'somebody may have stolen it: give the server a new key, and put that on record',
        error,
      ),
    )
  if (seen.offered || /no matching host key/i.test(error.message))
    return new Problem(
      `${host.name}: its host key is not the one on record`,
      parts(
        seen.offered
          ? `${where(host)} shows ${seen.offered}`
          : `${where(host)} has no key of the type on record: ${error.message}`,
        'find out why it changed (rebuilt server, wrong address, someone in between) before you trust it; never skip this check',
        error,
      ),
    )
  if (error.level === 'client-authentication')
    return new Problem(
      `${host.name}: login refused`,
      parts(
        `${where(host)} does not accept ${seen.keys.length > 1 ? 'any of the keys' : 'the key'} ${seen.keys.join(', ')}`,
        `add its public key to the server's authorized keys, or name another one as ssh.identity in the inventory`,
        error,
      ),
    )
  if (error.level === 'client-timeout')
    return unreachable(
      host,
      seen.greeted ? 'the SSH handshake did not finish in time' : 'it did not greet as an SSH server in time',
      error,
    )
  return unreachable(host, words[error.code ?? ''] ?? error.message, error)
}

export const identityProblem = (host: HostAddress, path: string, error: Error) =>
  new Problem(`${host.name}: the key ${path} cannot be used`, {
    why: error.message,
    next: 'name a readable private key as ssh.identity in the inventory; one with a passphrase goes into an agent (ssh-add), or its passphrase where ssh.passphrase says (env or file)',
    exit: 2,
    cause: error,
  })

export const unknownHost = (host: HostAddress) =>
  new Problem(`${host.name}: its host key is not on record`, {
    why: host.knownHosts?.length
      ? `${host.knownHosts.join(', ')} name no key for ${host.hostKeyAlias ?? host.address}${host.port === 22 ? '' : ` port ${host.port}`}`
      : 'the inventory names neither its key nor a known_hosts file',
    next: `get the key from the server's own console or from who runs it, and put it there: what ssh-keyscan shows may be anybody's`,
    exit: 2,
  })
