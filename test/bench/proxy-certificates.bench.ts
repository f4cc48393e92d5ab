import { authorityFile } from '../../src/hosts/client-certificates.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { makeAuthority } from '../support/authority.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab } from '../support/proxy-lab.ts'
import { offerSquidOpenssl } from '../support/squid-openssl.ts'
import { policyOf, zone } from './proxy/lab.ts'
import { makeLoad, type Order } from './proxy/load.ts'
import { spent } from './proxy/spent.ts'
import { median } from './proxy.bench.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.EGRESS_BENCH_ROUNDS ?? 9)
const scenes = [
  { title: 'GET, 1 client', what: 'get', connections: 1 },
  { title: 'GET, 50 clients', what: 'get', connections: 50 },
  { title: 'tunnel + GET, 1 client', what: 'tunnel', connections: 1 },
  { title: 'tunnel + GET, 50 clients', what: 'tunnel', connections: 50 },
] as const

/** Two tenants on one Squid with one policy, by turns: one asks its clients for certificates. */
export const proxyCertificates: Bench = async () => {
  const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
  const authority = makeAuthority()
  const lab = await makeProxyLab(31, {
    origins: ['203.0.113.10'],
    names: { [`.${zone}`]: ['203.0.113.10'] },
    origin: new URL('proxy/origin.mjs', import.meta.url),
  })
  const load = makeLoad(lab.netns)
  try {
    await offerSquidOpenssl(lab.host.sh)
    const { address } = lab.host.address
    const common = { clients: ['192.0.2.128/25'], policy: policyOf([`.${zone}`]) }
    const certificates = { ca: authority.pem, names: ['client-a'] }
    const play = {
      host: lab.host.address,
      ...squidTasks({
        ...{ hostName: 'proxy-1', inner: ['192.0.2.128/25'], nameservers: ['127.0.0.1'], names: [address] },
        tenants: [
          { ...common, name: 'client-a', port: 3128, certificates },
          { ...common, name: 'client-b', port: 3129, policy: { ...common.policy, tenant: 'client-b' } },
        ],
      }),
    }
    await hostPlay.apply(play, { ssh }, (await hostPlay.read(play, { ssh }, quiet))!, quiet)
    const tls = { ...authority.issue('/CN=client-a'), ca: lab.host.sh(`cat ${authorityFile}`) }
    const cpu = () => Object.values(spent(lab.netns).get(3128) ?? {}).reduce((all, it) => all + it.cpuMs, 0)
    const ask = async (scene: (typeof scenes)[number], certified: boolean) => {
      const order: Order = { host: address, port: certified ? 3128 : 3129, ...scene, names: [`a.${zone}`], ms: 700 }
      const before = cpu()
      const it = await load.run({ ...order, ...(certified && { tls }) })
      if (it.failed) throw new Error(`${it.failed} of ${it.done} failed: ${it.because}`)
      return { ...it, rate: it.done / it.seconds, us: ((cpu() - before) * 1000) / it.done }
    }
    const rows: string[][] = []
    for (const scene of scenes) {
      const both = { tls: [] as Awaited<ReturnType<typeof ask>>[], plain: [] as Awaited<ReturnType<typeof ask>>[] }
      for (let round = -1; round < rounds; round++)
        for (const certified of round % 2 ? [true, false] : [false, true]) {
          const it = await ask(scene, certified)
          if (round >= 0) both[certified ? 'tls' : 'plain'].push(it)
        }
      const of = (which: 'tls' | 'plain', what: 'rate' | 'us' | 'p50' | 'p99') =>
        median(both[which].map(it => it[what]))
      rows.push([
        scene.title,
        of('tls', 'rate').toFixed(0),
        of('plain', 'rate').toFixed(0),
        median(both.tls.map((it, n) => it.rate / both.plain[n]!.rate)).toFixed(2),
        ...(['tls', 'plain'] as const).map(it => of(it, 'us').toFixed(0)),
        ...(['tls', 'plain'] as const).map(it => `${of(it, 'p50').toFixed(2)} / ${of(it, 'p99').toFixed(2)}`),
      ])
    }
    return {
      title: `A port that asks for certificates and one that does not, of one Squid, ${rounds} rounds by turns (medians)`,
      head: ['what', 'asked /s', 'not asked /s', 'ratio', 'us of CPU', 'not asked', 'p50 / p99 ms', 'not asked'],
      rows,
      notes: ['the load generator does its own half of TLS, on the same cores: us of CPU are of Squid and its helper'],
    }
  } finally {
    load.close()
    authority.remove()
    await ssh.close()
    await lab.down()
  }
}
