import { randomInt, randomUUID } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FirewallRule } from './internet/firewall-rules.ts'
import { readJson } from './machines/files.ts'

export type Credentials = { accessKey: string; secretKey: string; projectId: string; organizationId: string }

/** All that a daemon must know to go on where a killed one was. */
export type State = {
  /** The emulated Scaleway's; the same after a restart, so that configuration files stay true. */
  port: number
  credentials: Credentials
  /** Of the partner's firewall, and the key to change it. */
  partner: { key: string; rules: FirewallRule[] }
  clusters: { id: string; name: string }[]
  scaleway: unknown
  kubernetes: unknown
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

const fresh = (): State => ({
  port: 0,
  credentials: {
    accessKey: `SCW${Array.from({ length: 17 }, () => letters[randomInt(letters.length)]).join('')}`,
    secretKey: randomUUID(),
    projectId: randomUUID(),
    organizationId: randomUUID(),
  },
  partner: { key: `cbkey_${randomUUID()}`, rules: [] },
  clusters: [],
  scaleway: null,
  kubernetes: null,
})

/** `collect` gives the state of the moment; many changes in a row are one write, a reader never sees half of one. */
export const createState = (directory: string) => {
  const path = join(directory, 'state.json')
  const state = { ...fresh(), ...readJson<State>(path) }
  let collect = () => state
  let timer: NodeJS.Timeout | null = null
  const save = () => {
    if (timer) clearTimeout(timer)
    timer = null
    writeFileSync(`${path}.new`, JSON.stringify(collect()), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  return {
    state,
    save,
    changed() {
      timer ??= setTimeout(save, 20)
    },
    from(source: () => State) {
      collect = source
    },
  }
}

/** Scaleway's own configuration file, so that every tool of theirs finds the sandbox with it. */
export const scalewayConfig = ({ accessKey, secretKey, projectId, organizationId }: Credentials, url: string): string =>
  [
    `access_key: ${accessKey}`,
    `secret_key: ${secretKey}`,
    `default_organization_id: ${organizationId}`,
    `default_project_id: ${projectId}`,
    'default_region: fr-par',
    'default_zone: fr-par-1',
    `api_url: ${url}`,
    '',
  ].join('\n')
