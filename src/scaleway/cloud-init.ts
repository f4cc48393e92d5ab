import { createHash } from 'node:crypto'
import type { Json } from '../engine/json.ts'
import type { Scaleway } from './client.ts'

/** How user data is written and read; the layer that knows hosts provides it. */
export type CloudInit<HostKey = unknown> = {
  /** User data with the private host key in it: it goes to the API and nowhere else. */
  render(cloudInit: Json, hostKey: HostKey): string
  newHostKey(): HostKey | Promise<HostKey>
  /** The public host key, parsed back out of user data; null when there is none. */
  publicKeyOf(userData: string): string | null
  /** The same text with its keys masked, so that two servers with equal wishes have equal texts. */
  withoutKeys(userData: string): string
}

export type ServerClients = Scaleway & { cloudInit: CloudInit }

/** The same clients in another zone. */
export const serverClientsAt = (clients: ServerClients, zone: string | undefined): ServerClients => ({
  ...clients.at(zone),
  cloudInit: clients.cloudInit,
})

export type UserData = { hostKey: string | null; sha256: string; isCurrent: boolean }

/** What a server was told at birth, against what it would be told today. Nothing secret comes out. */
export const compareUserData = async ({ cloudInit }: ServerClients, text: string, want: Json): Promise<UserData> => {
  const wanted = cloudInit.render(want, await cloudInit.newHostKey())
  const sha = (it: string) => createHash('sha256').update(cloudInit.withoutKeys(it)).digest('hex')
  return { hostKey: cloudInit.publicKeyOf(text), sha256: sha(text), isCurrent: sha(text) === sha(wanted) }
}

export const newUserData = async ({ cloudInit }: ServerClients, want: Json): Promise<string> =>
  cloudInit.render(want, await cloudInit.newHostKey())
