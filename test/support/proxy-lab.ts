import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { makeHost, type TestHost } from './host.ts'

/** A test host for Squid, with an internet of its own: names it resolves itself, and destinations behind its loopback. */
export type ProxyLab = { host: TestHost; netns: string; down(): Promise<void> }

export type LabNames = {
  /** Addresses that exist, with HTTP on 80 and an echo on 443 and 8443. */
  origins: string[]
  /** Name (a leading dot: and all below it) to its addresses; any other name does not exist. */
  names: Record<string, string[]>
  /** The program of the destinations; absent: `origin.mjs`. It prints a line when it listens. */
  origin?: URL
}

export const makeProxyLab = async (slot: number, { origins, names, origin: program }: LabNames): Promise<ProxyLab> => {
  const host = await makeHost(slot)
  const netns = `ket-${process.pid % 100000}-${slot}`
  const children: ChildProcess[] = []
  const down = async () => {
    for (const it of children) it.kill('SIGKILL')
    await host.down()
  }
  try {
    for (const it of origins) execFileSync('ip', ['-n', netns, 'addr', 'add', it, 'dev', 'lo'])
    // Routes for what names lead to beside these: nothing may leave the namespace.
    host.sh(`rm -f /etc/resolv.conf; echo nameserver 127.0.0.1 >/etc/resolv.conf
ip route add default dev lo || :
dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces --cache-size=0 \\
  --pid-file=/run/dnsmasq.pid --user=root --local=/#/ ${Object.entries(names)
    .flatMap(([name, all]) =>
      all.map(it => (name.startsWith('.') ? `--address=/${name.slice(1)}/${it}` : `--host-record=${name},${it}`)),
    )
    .join(' ')}`)
    const origin = spawn(
      'ip',
      [
        'netns',
        'exec',
        netns,
        process.execPath,
        fileURLToPath(program ?? new URL('origin.mjs', import.meta.url)),
        origins.join(','),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    children.push(origin)
    await once(origin.stdout, 'data')
    return { host, netns, down }
  } catch (error) {
    await down()
    throw error
  }
}
