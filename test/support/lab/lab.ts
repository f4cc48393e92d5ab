import { execFileSync } from 'node:child_process'
import { type HostPlay, hostPlay } from '../../../src/hosts/play.ts'
import { createSsh } from '../../../src/hosts/ssh.ts'
import { makeHost } from '../host.ts'
import { until } from '../until.ts'
import type { Answer } from './dns-message.ts'
import { startInside } from './inside.ts'
import type { Visit } from './sink.ts'
import { forget, seenBy, watch } from './watch.ts'

/** Where everything is. Pods have whole /24s, so that each request can come from an address of its own. */
export const at = {
  proxyInside: '172.16.28.2',
  proxyOutside: '198.51.100.2',
  proxyOutside6: '2001:db8:1::2',
  neighbour: '172.16.28.8',
  pods: ['172.16.29', '172.16.30', '172.16.31', '172.16.32', '172.16.33', '172.16.34', '172.16.35'],
  /** Of a second tenant. */
  otherPods: ['172.16.36', '172.16.37', '172.16.38', '172.16.39', '172.16.41', '172.16.42', '172.16.43'],
  /** Routed to the proxy, and no tenant's. */
  strangers: '172.16.40',
  dns: '203.0.113.53',
  web: '203.0.113.10',
  web6: '2001:db8:aa::10',
  /** Has a name of its own, with ports of its own. */
  otherPorts: '203.0.113.20',
  /** Listed as it is. */
  address: '203.0.113.30',
  elsewhere: '203.0.113.200',
} as const

const sinkPorts = [21, 25, 80, 443, 2379, 3129, 6443, 8080, 8443, 10250]

/**
 * A proxy between two namespaces: pods, and an outside in which every address there is answers, so nothing that leaves
 * the proxy goes unseen. Inside the proxy itself there are listeners on loopback too.
 *
 *     pods 172.16.28.0/22 ── eth2 proxy eth1 ── outside 0.0.0.0/0, ::/0
 */
export const makeLab = async (slot: number, zone: Record<string, Answer>) => {
  const host = await makeHost(slot)
  const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
  const own = `${process.pid % 100000}-${slot}`
  const names = { outside: `kea-${own}-out`, pods: `kea-${own}-pods`, proxy: host.netns }
  const stops: (() => unknown)[] = [() => host.down(), () => ssh.close()]
  const remove = () => {
    for (const it of [names.outside, names.pods]) quietly('ip', 'netns', 'del', it)
  }
  process.once('exit', remove)
  const down = async () => {
    for (const stop of stops.reverse()) await stop()
    process.off('exit', remove)
    remove()
  }
  try {
    for (const it of [names.outside, names.pods]) run('ip', 'netns', 'add', it)
    for (const line of network(names)) run('ip', ...line.split(' '))
    // Its replies would go where the request came from, whatever the addresses say.
    for (const it of Object.values(names)) for (const words of watch(it, names)) run(...words)
    const start = async (...[netns, program, ...args]: Parameters<typeof startInside>) => {
      const it = await startInside(netns, program, ...args)
      stops.push(it.stop)
      return it
    }
    const settings = { address: at.dns, zone, otherwise: { a: [at.elsewhere] } }
    const [nameServer, ...sinks] = await Promise.all([
      start(names.outside, 'name-server.ts', JSON.stringify(settings)),
      start(names.outside, 'sink.ts', sinkPorts.join()),
      start(names.pods, 'sink.ts', sinkPorts.join()),
      start(names.proxy, 'sink.ts', sinkPorts.join()),
    ])
    const report = { waiting: () => {}, progress: () => {}, signal: new AbortController().signal }
    return {
      host,
      ssh,
      names,
      nameServer: nameServer!,
      down,
      startClient: () => start(names.pods, 'client.ts'),
      /** Brings the proxy to what its tasks say, as a deploy does. */
      async apply(play: Omit<HostPlay, 'host'>) {
        const want = { host: host.address, ...play }
        return hostPlay.apply(want, { ssh }, (await hostPlay.read(want, { ssh }, report))!, report)
      },
      /** From here on counts what leaves the proxy: what its packages and services said before does not. */
      forget: () => Object.values(names).forEach(forget),
      /** All that left the proxy: destinations, what listeners read since the last time, names that were looked up. */
      traffic: async () => ({
        seen: Object.values(names).flatMap(it => seenBy(it)),
        visits: (await Promise.all(sinks.map(it => it.ask<Visit[]>('report')))).flat(),
        asked: await nameServer!.ask<Record<string, number>>('report'),
      }),
      /** Lines of the audit log, from the first on that has not been read: waits until there are as many. */
      async auditLines(least: number, withinSeconds = 30): Promise<string[]> {
        let lines: string[] = []
        await until(() => {
          lines = host.sh('cat /var/log/squid/audit.log 2>/dev/null; :').split('\n').slice(0, -1)
          return lines.length >= least
        }, withinSeconds)
        return lines
      },
    }
  } catch (error) {
    await down()
    throw error
  }
}

export type Lab = Awaited<ReturnType<typeof makeLab>>

const network = ({ outside, pods, proxy }: Record<'outside' | 'pods' | 'proxy', string>) => [
  `link add eth0 netns ${outside} type veth peer name eth1 netns ${proxy}`,
  `link add eth0 netns ${pods} type veth peer name eth2 netns ${proxy}`,
  ...[outside, pods].map(it => `-n ${it} link set lo up`),
  `-n ${outside} addr add 198.51.100.1/30 dev eth0`,
  `-n ${outside} addr add 2001:db8:1::1/64 dev eth0 nodad`,
  `-n ${outside} link set eth0 up`,
  // All there is, except what is on the link itself.
  `-n ${outside} route add local default dev lo table main`,
  `-n ${outside} -6 route add local default dev lo table main`,
  `-n ${pods} addr add 172.16.28.3/22 dev eth0`,
  `-n ${pods} addr add ${at.neighbour}/22 dev eth0`,
  `-n ${pods} link set eth0 up`,
  ...[...at.pods, ...at.otherPods, at.strangers].map(it => `-n ${pods} route add local ${it}.0/24 dev lo`),
  `-n ${proxy} addr add ${at.proxyOutside}/30 dev eth1`,
  `-n ${proxy} addr add ${at.proxyOutside6}/64 dev eth1 nodad`,
  `-n ${proxy} addr add ${at.proxyInside}/22 dev eth2`,
  `-n ${proxy} link set eth1 up`,
  `-n ${proxy} link set eth2 up`,
  `-n ${proxy} route add default via 198.51.100.1`,
  `-n ${proxy} -6 route add default via 2001:db8:1::1`,
  ...['172.16.32.0/21', '172.16.40.0/22'].map(it => `-n ${proxy} route add ${it} via 172.16.28.3`),
]

const run = (...[command, ...args]: string[]) => execFileSync(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] })

const quietly = (...words: string[]) => {
  try {
    run(...words)
  } catch {
    // Already gone.
  }
}
