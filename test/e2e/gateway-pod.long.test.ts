import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { looksAt, ok, summaryOf } from './looks.ts'

const { test, before, after } = suite('a tenant that leaves by pods of the cluster', { seconds: 500 })
const checkout = makeCheckout()
const { run, directory } = checkout
const { kube } = looksAt(checkout)
const tenants = join(directory, 'inventory/sandbox/tenants')
const file = join(tenants, 'client-a.yaml')
const edit = (from: string | RegExp, to: string) => {
  const text = readFileSync(file, 'utf8')
  assert.ok(text.search(from) >= 0, `${from} is not there`)
  writeFileSync(file, text.replace(from, to))
}
type Pod = KubeObject & {
  spec: { nodeName: string }
  status: { podIP: string; containerStatuses: { restartCount: number }[] }
}
const podsIn = async (namespace: string, labelSelector?: string): Promise<Pod[]> => {
  const cluster = kube()
  const { items } = await cluster.list<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace,
    ...(labelSelector && { labelSelector }),
  })
  await cluster.close()
  return items.filter(it => !it.metadata.deletionTimestamp)
}
const gatewayPods = () => podsIn('egress-system', 'kapsule-egress/tenant=client-a')
/** As the container's own user. */
const inPod = async (namespace: string, pod: string, command: string) => {
  const container = namespace === 'egress-system' ? 'squid' : 'curl'
  const cluster = kube()
  const ran = await cluster.exec({ namespace, pod, container, command: ['sh', '-c', command] }, { timeoutMs: 200_000 })
  await cluster.close()
  return ran
}
const demo = async (name: string) => (await podsIn('client-a-demo', `app.kubernetes.io/name=${name}`))[0]!.metadata.name
let gatewayIp: string

before(() => {
  rmSync(join(tenants, 'client-b.yaml'))
  edit('via: proxy-vm', 'via: gateway-pod')
  edit(/ {2}proxy: .*\n/, '')
})
after(() => checkout.remove())

test('deploy moves it by every gate, and its fixed address is that of the Public Gateway', async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const { outputs } = summaryOf(it)
  gatewayIp = outputs.gateway_public_ip!
  assert.equal(outputs.proxies, { 'egress-client-a': { public_ip: gatewayIp } })
  assert.is(outputs.proxy_public_ip, gatewayIp)
  const proofs = it.events.filter(({ event }) => event === 'proof')
  assert.equal(
    proofs.map(({ tenant, moved, addressNow, failures }) => ({ tenant, moved, addressNow, failures })),
    [{ tenant: 'client-a', moved: 2, addressNow: gatewayIp, failures: [] }],
  )
})

test('Squid runs as its own user on a root that nobody writes to, on the nodes of the pool', async () => {
  const pods = await gatewayPods()
  assert.is(pods.length, 2)
  for (const { metadata, spec } of pods) {
    assert.match(spec.nodeName, /client-a-pool/)
    const look =
      'id -u; for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != squid ] || grep -E "^(Uid|CapEff|NoNewPrivs)" $p/status; done; : >/etc/x'
    const { stdout } = await inPod('egress-system', metadata.name, look)
    assert.match(stdout, /^13\n/)
    assert.match(stdout, /Uid:\t13\t13\t13\t13\nCapEff:\t0000000000000000\nNoNewPrivs:\t1/)
  }
})

test('only moved pods of the tenant reach it, and it reaches nothing inside', async () => {
  const [{ status }] = (await gatewayPods()) as [Pod]
  const [moved, near] = [await demo('curl-demo'), (await gatewayPods())[1]!.metadata.name]
  const by = `-x http://${status.podIP}:3128 --noproxy ''`
  const curl = (more: string) => `curl -s -o /dev/null -w '%{http_code}' --max-time 4 ${more}`
  assert.is((await inPod('client-a-demo', moved, curl(`${by} http://whatismyip.example/`))).stdout, '200')
  for (const inside of [
    'http://10.32.0.1/',
    'http://172.16.28.2/',
    'http://169.254.169.254/',
    'http://127.0.0.1:3128/',
  ])
    assert.is((await inPod('client-a-demo', moved, curl(`${by} ${inside}`))).stdout, '403', inside)
  // One in another namespace, and past Squid: what its own pod may reach.
  assert.is((await inPod('egress-system', near, curl(`${by} http://whatismyip.example/`))).stdout, '000')
  const api = '-k https://kubernetes.default.svc/'
  assert.match((await inPod('client-a-demo', moved, curl(api))).stdout, /^40[13]$/)
  assert.is((await inPod('egress-system', near, curl(api))).stdout, '000')
})

/** What a pod that asks all the time came to while something was done: requests, and how many of them failed. */
const whileAsking = async (act: () => Promise<void>): Promise<[asked: number, lost: number]> => {
  const pod = await demo('curl-demo')
  const loop = `rm -f /dev/shm/stop; n=0; bad=0; until [ -e /dev/shm/stop ]; do n=$((n + 1))
    curl -s -o /dev/null --fail --max-time 20 http://whatismyip.example/ || bad=$((bad + 1)); done; echo $n $bad`
  const asking = inPod('client-a-demo', pod, loop)
  try {
    await act()
  } finally {
    await inPod('client-a-demo', pod, ': >/dev/shm/stop')
  }
  const [asked, lost] = (await asking).stdout.trim().split(' ').map(Number)
  return [asked!, lost!]
}
const known = (all: Pod[]) => all.map(it => [it.metadata.uid, it.status.containerStatuses[0]!.restartCount])

test('a policy changes in running pods, and no request is lost meanwhile', async () => {
  const before = await gatewayPods()
  edit('- { domain: .github.com }', '- { domain: .github.com }\n    - { domain: example.com, ports: [80] }')
  const [asked, lost] = await whileAsking(async () => ok(await run('deploy.mjs', '--json')))
  assert.ok(asked > 5, `${asked} requests`)
  assert.is(lost, 0)
  const now = await gatewayPods()
  assert.equal(known(now), known(before), 'no pod was made anew or restarted')
  const pod = await demo('curl-demo')
  const code = "curl -s -o /dev/null -w '%{http_code}' --max-time 10 http://example.com/"
  assert.is((await inPod('client-a-demo', pod, code)).stdout, '200')
  const cluster = kube()
  const logs = await Promise.all(
    now.map(it => cluster.logs({ namespace: 'egress-system', pod: it.metadata.name, container: 'squid' })),
  )
  await cluster.close()
  const lines = logs.flatMap(it => it.split('\n')).filter(it => it.includes('"host":"example.com"'))
  assert.ok(lines.every(it => (JSON.parse(it) as { revision: string }).revision.startsWith('2-')))
  assert.ok(lines.length > 0)
})

test('another squid.conf means other pods, and no request is lost meanwhile', async () => {
  const before = await gatewayPods()
  edit('  mode: enforce', '  mode: enforce\n  limits: { connections: 500 }')
  const [asked, lost] = await whileAsking(async () => ok(await run('deploy.mjs', '--json')))
  assert.ok(asked > 5, `${asked} requests`)
  assert.is(lost, 0)
  const uids = before.map(it => it.metadata.uid)
  const now = await gatewayPods()
  assert.is(now.length, 2)
  assert.ok(now.every(it => !uids.includes(it.metadata.uid)))
})

test('status names the revision, a report what left, and an earlier revision is not to be had', async () => {
  const status = (await run('status.mjs', '--json')).events.find(({ event }) => event === 'status')
  const [policy] = (status as unknown as { policies: { proxy: string; publicIp: string; revision: string }[] }).policies
  assert.is(policy!.proxy, 'egress-client-a')
  assert.is(policy!.publicIp, gatewayIp)
  assert.match(policy!.revision, /^2-/)
  const told = await run('report.mjs', '--since', '1h', '--json')
  ok(told)
  const { sources } = told.events.find(({ event }) => event === 'report')!.report as { sources: object[] }
  const [{ lines, ...source }] = sources as [{ lines: number }]
  assert.equal(source, { proxy: 'egress-client-a', unparsable: 0, problem: null })
  assert.ok(lines > 0)
  const back = await run('policy.mjs', '--tenant', 'client-a', '--to', 'previous', '--yes')
  ok(back, 2)
  assert.match(back.stderr, /no earlier revision of client-a is kept/)
})

test('evidence is gathered of its pods and holds', async () => {
  const out = join(directory, 'evidence')
  const it = await run('60-verify.mjs', '--tenant', 'client-a', '--evidence', out, '--json')
  const files = readdirSync(out).filter(name => name.endsWith('.json'))
  const found = JSON.parse(readFileSync(join(out, files[0]!), 'utf8')) as {
    proxies: { name: string; verdict: string; why: string; facts: { revision: string; policy: string } }[]
    samples: { logged: object | null; by: string; verdict: string; why: string }[]
  }
  const wrong = [...found.proxies, ...found.samples].filter(({ verdict }) => verdict !== 'holds')
  assert.equal(wrong, [])
  ok(it)
  assert.is(found.proxies.length, 2)
  assert.match(found.proxies[0]!.facts.revision, /^2-/)
  assert.ok(found.samples.some(({ logged }) => logged !== null))
})

test('one whose log nobody reads ends, and is started again', async () => {
  const [{ metadata, status }] = (await gatewayPods()) as [Pod]
  const reader = 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" != cat ] || echo "${p#/proc/}"; done'
  await inPod('egress-system', metadata.name, `for it in $(${reader}); do kill $it; done 2>/dev/null; :`)
  const pod = await demo('curl-demo')
  const restarted = async () => {
    await inPod('client-a-demo', pod, `curl -s -x http://${status.podIP}:3128 --max-time 2 http://whatismyip.example/`)
    const [now] = (await gatewayPods()).filter(it => it.metadata.name === metadata.name)
    return now!.status.containerStatuses[0]!.restartCount === 1
  }
  assert.ok(await until(restarted, 60))
  const ready = async () =>
    (await inPod('egress-system', metadata.name, '/etc/egress/health 3128 proxy-health.invalid')).code === 0
  assert.ok(await until(ready, 60))
})

test('nothing is left to do, and a rollback takes pods and policies away, the tenant by its old way again', async () => {
  ok(await run('deploy.mjs', '--check'))
  ok(await run('rollback.ts', '--to', 'start', '--yes'))
  assert.equal(await gatewayPods(), [])
  const cluster = kube()
  for (const kind of ['ConfigMap', 'Service']) {
    const { items } = await cluster.list({ apiVersion: 'v1', kind, namespace: 'egress-system' })
    assert.equal(items, [], kind)
  }
  await cluster.close()
  const seen = await inPod(
    'client-a-demo',
    await demo('curl-demo'),
    'env | grep -ic proxy; curl -s --max-time 20 http://whatismyip.example/',
  )
  assert.is(seen.stdout, `0\n${gatewayIp}\n`)
})
