import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import type { Ssh } from './ssh.ts'

/** How many connections of clients are open at these ports of a host: tunnels, and requests that are being answered. */
export const openAt = async (ssh: Ssh, host: HostAddress, ports: number[], signal: AbortSignal): Promise<number> => {
  const filter = ports.map(it => `sport = :${it}`).join(' or ')
  const { stdout } = await ssh.exec(host, {
    ...asRoot(host, `set -e\nss -Htn state established '( ${filter} )' | wc -l\n`),
    timeoutSeconds: 30,
    repeatable: true,
    signal,
  })
  return Number.parseInt(stdout, 10)
}
