import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Authority, makeAuthority } from './internet/authority.ts'
import { run } from './machines/run.ts'
import type { World } from './machines/world.ts'

/** The state directory with what stays the same as long as it exists: the CA, the operator's key, the tmpfs for hosts. */
export const prepare = async ({ directory, hosts }: World): Promise<Authority> => {
  mkdirSync(hosts, { recursive: true, mode: 0o700 })
  if (!isMounted(hosts)) await run('mount', ['-t', 'tmpfs', '-o', 'mode=755,size=50%', 'kapsule-egress', hosts])
  const key = join(directory, 'id_ed25519')
  if (!existsSync(key)) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'sandbox-operator', '-f', key])
  return makeAuthority(directory)
}

const isMounted = (path: string): boolean => {
  const written = path.replace(/[\s\\]/g, it => `\\0${it.charCodeAt(0).toString(8)}`)
  return readFileSync('/proc/self/mounts', 'utf8').includes(` ${written} tmpfs `)
}
