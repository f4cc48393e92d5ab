import { setTimeout as sleep } from 'node:timers/promises'
import type { ParsedKey } from 'ssh2'
import type { SshKey } from './keyring.ts'
import { agents, parseKey } from './ssh2.ts'

// One that is there answers at once; one behind a dead forwarded socket never does.
const patienceMs = 2000

/** The keys that an agent can sign with. Throws when nothing answers at its socket. */
export const agentKeys = async (socket: string): Promise<SshKey[]> => {
  const agent = agents().createAgent(socket)
  const late = new AbortController()
  try {
    return await Promise.race([
      new Promise<SshKey[]>((resolve, reject) =>
        agent.getIdentities((error, keys) => {
          if (error) return reject(error)
          resolve(
            (keys ?? []).flatMap(it => {
              const key = parseKey(publicPart(it))
              if (key instanceof Error) return []
              return {
                key,
                from: `${key.comment || key.type} of the agent`,
                sign: (data, hash, signed) =>
                  agent.sign(key, data, { hash: hash as 'sha256' }, (error, signature) =>
                    signed(error ?? null, signature),
                  ),
              }
            }),
          )
        }),
      ),
      sleep(patienceMs, undefined, { signal: late.signal, ref: false }).then(() => {
        throw new Error(`the agent at ${socket} says nothing`)
      }),
    ])
  } finally {
    late.abort()
  }
}

const publicPart = (it: unknown): Buffer | string | ParsedKey =>
  typeof it === 'object' && it !== null && 'pubKey' in it ? (it as { pubKey: ParsedKey }).pubKey : (it as ParsedKey)
