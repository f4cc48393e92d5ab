import { existsSync, readFileSync, rmSync } from 'node:fs'
import { enter } from './box.ts'
import { put, readText } from './files.ts'
import { pause, run } from './run.ts'

const watched = new Set<string>()

/**
 * Fetches the packages a first boot asks for. The sandbox's internet has no package archive, so apt-get runs on the
 * server's disk but with this machine's network, and starts no service there: the first boot does that afterwards.
 */
export const fetchPackages = async (pid: () => number | null, root: string): Promise<void> => {
  const finished = `${root}/var/lib/cloud/instance/boot-finished`
  if (watched.has(root) || existsSync(finished)) return
  watched.add(root)
  try {
    for (;;) {
      const at = pid()
      if (at === null || existsSync(finished)) return
      const inside = `/proc/${at}/root`
      const wanted = readText(`${inside}/run/cloud-init/fetch`)
      if (wanted !== null && !existsSync(`${inside}/run/cloud-init/fetched`)) {
        const code = await fetch(at, inside, wanted.trim().split(/\s+/))
        put(`${inside}/run/cloud-init/fetched`, `${code}\n`)
      }
      await pause(100)
    }
  } catch (thrown) {
    // the server was switched off under our hands
    if (pid() !== null) console.error(`packages for ${root}: ${String(thrown)}`)
  } finally {
    watched.delete(root)
  }
}

const script = `
mount --bind /run/cloud-init/machine-resolv.conf /etc/resolv.conf
install() { apt-get -qy -o Dpkg::Options::=--force-confold install --no-install-recommends -- "$@"; }
install "$@" || { apt-get -q update && install "$@"; }
`

const fetch = async (pid: number, inside: string, packages: string[]): Promise<number> => {
  const policy = `${inside}/usr/sbin/policy-rc.d`
  put(`${inside}/run/cloud-init/machine-resolv.conf`, readFileSync('/etc/resolv.conf', 'utf8'))
  put(policy, '#!/bin/sh\nexit 101\n', 0o755)
  try {
    const command = ['unshare', '--mount', 'sh', '-c', script, 'apt', ...packages]
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
    // every namespace of the server but its network
    const options = enter(pid).filter(it => it !== '-n')
    const log = await run('nsenter', [...options, ...command], { env })
    put(`${inside}/var/log/packages.log`, log)
    return 0
  } catch (thrown) {
    put(`${inside}/var/log/packages.log`, `${String(thrown)}\n`)
    return 1
  } finally {
    rmSync(policy, { force: true })
  }
}
