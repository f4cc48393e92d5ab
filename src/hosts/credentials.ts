import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ParsedKey } from 'ssh2'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { agentKeys } from './agent.ts'
import { passwordFrom } from './become.ts'
import { readIdentity } from './identity.ts'
import { ownKey, type SshKey } from './keyring.ts'
import { identityProblem } from './ssh-problems.ts'

export type Ways = {
  env: NodeJS.ProcessEnv
  /** Asks a person without showing the answer; absent where nobody can be asked. */
  ask?: ((question: string) => Promise<string>) | undefined
}

/**
 * The keys to log in to a host with, in the order they are tried: the named identities and no others, or else the
 * agent's and the usual files. A passphrase is looked for in the agent's place, then where `passphrase` says, then asked for.
 */
export const createCredentials = ({ env, ask }: Ways) => {
  const unlocked = new Map<string, Promise<SshKey>>()

  const fromAgent = async ({ agent = env.SSH_AUTH_SOCK }: HostAddress): Promise<SshKey[]> =>
    agent && agent !== 'none' ? agentKeys(agent).catch(() => []) : []

  const unlock = async (host: HostAddress, path: string, open: (passphrase: string) => ParsedKey | null) => {
    const { passphrase } = host
    if (passphrase) {
      const key = open(passwordFrom(passphrase, path, env))
      if (key) return ownKey(key, path)
      const place = 'env' in passphrase ? passphrase.env : passphrase.file
      throw identityProblem(host, path, new Error(`the passphrase in ${place} does not open it`))
    }
    if (!ask) throw identityProblem(host, path, new Error('it has a passphrase, and there is no terminal to ask on'))
    for (let tries = 0; tries < 3; tries++) {
      const key = open(await ask(`passphrase of ${path}: `))
      if (key) return ownKey(key, path)
    }
    throw identityProblem(host, path, new Error('none of three passphrases opens it'))
  }

  const named = async (host: HostAddress, path: string, agent: () => Promise<SshKey[]>): Promise<SshKey> => {
    const it = (() => {
      try {
        return readIdentity(path)
      } catch (error) {
        throw identityProblem(host, path, error as Error)
      }
    })()
    if (it.kind === 'private') return ownKey(it.key, path)
    const kept = (await agent()).find(({ key }) => it.open?.getPublicSSH().equals(key.getPublicSSH()))
    if (kept) return kept
    if (it.kind === 'public') throw identityProblem(host, path, new Error('it is a public key, which no agent holds'))
    const opened = unlocked.get(path) ?? unlock(host, path, it.unlock)
    // Asked for once, however many hosts there are; a wrong one is asked for again by the next run.
    unlocked.set(path, opened)
    return opened
  }

  return async (host: HostAddress): Promise<SshKey[]> => {
    let asked: Promise<SshKey[]> | undefined
    const agent = () => {
      asked ??= fromAgent(host)
      return asked
    }
    const paths = [host.identity ?? []].flat()
    if (paths.length) return Promise.all(paths.map(path => named(host, path, agent)))
    const files = usual(env).flatMap(path => {
      const it = readIdentity(path)
      return it.kind === 'private' ? [ownKey(it.key, path)] : []
    })
    const keys = [...(await agent()), ...files]
    if (keys.length) return keys
    throw new Problem(`${host.name}: there is no key to log in with`, {
      why: 'no identity is named, no agent answers, and none of the usual files in ~/.ssh can be used without a passphrase',
      next: 'name one as ssh.identity in the inventory, or start an agent and ssh-add it',
      exit: 2,
    })
  }
}

const usual = ({ HOME = homedir() }: NodeJS.ProcessEnv): string[] =>
  ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(it => join(HOME, '.ssh', it)).filter(it => existsSync(it))
