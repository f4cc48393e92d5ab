import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createKubes, type Kube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { demoWorkload, EGRESS_LABEL, egressPolicy } from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import { workloadEgressKind } from '../../src/rollout/workload-egress.ts'
import { createClusters } from '../../src/sandbox/kubernetes/clusters.ts'
import { nft } from '../../src/sandbox/machines/netns.ts'
import { teardown } from '../../src/sandbox/machines/teardown.ts'
import { at } from '../../src/sandbox/machines/world.ts'
import { report } from '../rollout/cluster.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { inNetns, type Lab, newLab } from './machines/world.ts'

const { test, before, after } = suite('no packet past the policy when a pod starts', { seconds: 800 })

const id = '11111111-1111-4111-8111-111111111111'
const namespace = 'shop'
const ranges = { podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20', dnsIp: '10.32.0.10' }
const proxy = { address: '172.16.28.8', port: 3128 }
const inside = noProxy({ services: ranges.serviceCidr, pods: ranges.podCidr, private: ['172.16.28.0/22'] })
const replicas = 10

/** Nothing before it has moved; then datagrams from its first moment on, and less of them later. */
const talker = (to: string) => `[ -n "$http_proxy" ] || exec sleep 100000
exec perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 0); my $to = pack_sockaddr_in(9, inet_aton("${to}"));
for (my $n = 0; ; $n++) { send(S, "x", 0, $to); select(undef, undef, undef, $n < 50 ? 0.001 : 0.2) }'`

let lab: Lab
let clusters: Awaited<ReturnType<typeof createClusters>>
let kube: Kube
let kubes: ReturnType<typeof createKubes>
let directory: string
let kubeconfig: string
let node: string

before(async () => {
  lab = await newLab()
  directory = mkdtempSync(join(tmpdir(), 'egress-leak-'))
  const { machines, pods } = lab.parts
  await machines.gatewayUp({
    ...{ id: 'gateway-1', name: 'gateway', publicIp: at(lab.world, 10) },
    bastion: { enabled: false, port: 61000, allowedIps: [], authorizedKeys: [] },
    networks: [{ networkId: 'pn', address: '172.16.28.2/22', masquerade: true, defaultRoute: true }],
  })
  clusters = await createClusters({ pods, directory, onChange: () => undefined })
  await clusters.create({ id, name: 'shared', version: '1.34.1', ...ranges })
  const address = '172.16.28.20/22'
  const where = { name: 'node-1', clusterId: id, networkId: 'pn', address, defaultRoute: '172.16.28.2' }
  await machines.nodeUp({ id: 'node-1', ...where })
  await clusters.addNode(id, { name: 'node-1', address, labels: { 'node-pool': 'a-pool' }, taints: [] })
  node = lab.parts.hosts().find(it => it.name === 'node-1')!.netns
  kubeconfig = join(directory, 'kubeconfig')
  writeFileSync(kubeconfig, clusters.kubeconfig(id, 'admin'), { mode: 0o600 })
  kubes = createKubes()
  kube = kubes(kubeconfig)
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await count()
})
after(async () => {
  await kubes?.close()
  await clusters?.close()
  lab.parts.close()
  await teardown(lab.directory)
  rmSync(directory, { recursive: true, force: true })
})

const destination = () => at(lab.world, 5)

/** What pods send to the internet, before and after the node has decided about it; begins anew. */
const count = async () => {
  const mine = `ip saddr ${ranges.podCidr} ip daddr ${destination()}`
  const body = `
  set senders { type ipv4_addr; flags dynamic; size 1024; }
  counter sent { }
  counter past { }
  chain first { type filter hook prerouting priority -300; ${mine} counter name sent add @senders { ip saddr }; }
  chain last { type filter hook postrouting priority 90; ${mine} counter name past; }`
  await nft(node, [{ name: 'leak', body }])
}
const counted = async () => {
  const { stdout } = await inNetns(node, 'nft', '-j', 'list', 'table', 'ip', 'leak')
  const { nftables } = JSON.parse(stdout) as {
    nftables: { counter?: { name: string; packets: number }; set?: { elem?: unknown[] } }[]
  }
  const packets = (name: string) => nftables.find(it => it.counter?.name === name)!.counter!.packets
  const senders = nftables.find(it => it.set)?.set?.elem?.length ?? 0
  return { sent: packets('sent'), past: packets('past'), senders }
}

const workload = async (name: string, count = replicas) => {
  const made = demoWorkload({ tenant: 'shop', namespace, name, pool: 'a-pool', replicas: count }) as KubeObject & {
    spec: { strategy: { rollingUpdate: object }; template: { spec: { containers: { command: string[] }[] } } }
  }
  made.spec.template.spec.containers[0]!.command = ['sh', '-c', talker(destination())]
  made.spec.strategy.rollingUpdate = { maxSurge: 5, maxUnavailable: 0 }
  await kube.create(made, { manager: 'shop-team' })
  const ready = async () => {
    const live = await kube.get<KubeObject & { status?: { readyReplicas?: number } }>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }) // biome-ignore format: one line
    return live?.status?.readyReplicas === count
  }
  assert.ok(await until(ready, 120), `${name} is not ready`)
}

/** As the product moves one; answers how to take it back. */
const move = async (name: string) => {
  const want = {
    ...{ kubeconfig, namespace, kind: 'Deployment' as const, name, label: EGRESS_LABEL, waitSeconds: 200 },
    ...{ env: proxyEnv(proxy, inside), containers: 'all' as const },
  }
  const clients = { kube: kubes }
  const live = await workloadEgressKind.read(want, clients, report())
  const now = await workloadEgressKind.apply(want, clients, live, report())
  return () => workloadEgressKind.undo!(want, clients, live, now, report())
}

test('without a policy the counters see what leaves', async () => {
  await workload('open', 1)
  await move('open')
  assert.ok(await until(async () => (await counted()).past > 0, 30))
  await kube.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'open' })
  const gone = async () => (await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace })).items.length === 0
  assert.ok(await until(gone, 60))
})

test('200 pods start behind a policy, and end again: none of their packets gets out', async () => {
  const policy = egressPolicy({ namespace }, [proxy], {
    ...{ pods: ranges.podCidr, services: ranges.serviceCidr, dnsIp: ranges.dnsIp },
  })
  await kube.apply(policy)
  await count()
  let starts = 0
  let all = { sent: 0, senders: 0 }
  for (let round = 0; round < 200 / (2 * replicas); round++) {
    const names = [`one-${round}`, `two-${round}`]
    for (const it of names) await workload(it)
    const backs = await Promise.all(names.map(move))
    starts += names.length * replicas
    const talked = async () => (await counted()).senders >= names.length * replicas
    assert.ok(await until(talked, 60), 'not every pod has sent something')
    await Promise.all(backs.map(back => back()))
    const { sent, past, senders } = await counted()
    assert.is(past, 0, `round ${round}: of ${sent} packets`)
    all = { sent: all.sent + sent, senders: all.senders + senders }
    await count()
    for (const name of names) await kube.delete({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
  }
  assert.is(starts, 200)
  console.log(`${starts} pod starts, ${all.senders} senders, ${all.sent} packets sent, 0 past the policy`)
})
