import { existsSync, readFileSync } from 'node:fs'
import type { ParsedKey } from 'ssh2'
import { parseKey } from './ssh2.ts'

/** What a file of ssh-keygen holds. `open`: the public half where it can be told. */
export type Identity =
  | { kind: 'private'; key: ParsedKey }
  | { kind: 'locked'; open: ParsedKey | null; unlock: (passphrase: string) => ParsedKey | null }
  | { kind: 'public'; open: ParsedKey }

/** Reads a private key, with or without a passphrase, or a public one. Throws when it is neither, or cannot be read. */
export const readIdentity = (path: string): Identity => {
  // A key that lives in an agent leaves its public half.
  const text = readFileSync(existsSync(path) || !existsSync(`${path}.pub`) ? path : `${path}.pub`)
  const key = parsed(text)
  if (key instanceof Error && /no passphrase given/.test(key.message))
    return {
      kind: 'locked',
      open: openHalf(text) ?? (existsSync(`${path}.pub`) ? orNull(parsed(readFileSync(`${path}.pub`))) : null),
      unlock: passphrase => orNull(parsed(text, passphrase)),
    }
  if (key instanceof Error) throw key
  return key.isPrivateKey() ? { kind: 'private', key } : { kind: 'public', open: key }
}

const parsed = (text: Buffer, passphrase?: string): ParsedKey | Error => {
  const key = parseKey(text, passphrase)
  return Array.isArray(key) ? key[0]! : key
}

const orNull = (key: ParsedKey | Error): ParsedKey | null => (key instanceof Error ? null : key)

/** OpenSSH's format has the public half in the clear, before the locked one. @see PROTOCOL.key of OpenSSH */
const openHalf = (text: Buffer): ParsedKey | null => {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text.toString('latin1'))?.[1]
  if (!body) return null
  const data = Buffer.from(body, 'base64')
  let at = 'openssh-key-v1\0'.length
  const next = (): Buffer => {
    const length = data.readUInt32BE(at)
    at += 4 + length
    return data.subarray(at - length, at)
  }
  try {
    // Cipher, derivation and its options, then how many keys.
    for (const _ of [1, 2, 3]) next()
    at += 4
    return orNull(parsed(next()))
  } catch {
    return null
  }
}
