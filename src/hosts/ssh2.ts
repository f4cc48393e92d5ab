import { createRequire } from 'node:module'
import type { ParsedKey } from 'ssh2'
import { lazily } from '../engine/lazily.ts'

type Library = typeof import('ssh2')

const load = createRequire(import.meta.url)

/** Loaded when the first host is spoken to, which takes longer than a handshake. Its version is pinned: see flight.ts. */
export const client = lazily(() => load('ssh2/lib/client.js') as Library['Client'])

/** Without its server and its HTTP agents, which nobody here uses. */
export const agents = lazily(() => load('ssh2/lib/agent.js') as Pick<Library, 'BaseAgent' | 'createAgent'>)

const keys = lazily(() => load('ssh2/lib/protocol/keyParser.js') as Pick<Library['utils'], 'parseKey'>)

export const parseKey = (text: Buffer | string | ParsedKey, passphrase?: string): ParsedKey | Error =>
  keys().parseKey(text, passphrase)
