import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { demoWorkload } from '../../src/rollout/manifests.ts'
import { PROBE_LABEL } from '../../src/rollout/probe-pod.ts'
import type { Workload } from '../../src/rollout/workload.ts'
import { makeCheckout, type Ran } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, ok } from './looks.ts'

const { test, before, after } = suite('gates, on real pods', { seconds: 230 })
const checkout = makeCheckout()
const { run } = checkout
const { kube } = looksAt(checkout)
after(() => checkout.remove())

const namespace = 'client-a-demo'
const tenants = join(checkout.directory, 'inventory/sandbox/tenants')
const fileOfA = join(tenants, 'client-a.yaml')
const own = `
  gates:
    - { name: github answers, http: "https://github.com/", interval: 200ms, count: 2 }
    - { name: the API takes connections, tcp: "kubernetes.default.svc:443" }
    - name: a check of our own
      command: [sh, -c, 'test -n "$EGRESS_ADDRESSES$SECRET" && grep -q server: "$KUBECONFIG"']
    - { name: nobody panics, log: { absent: panic } }
verify: { allowed: ["https://github.com/"] }
`

const edit = (from: string | RegExp, to: string) => {
  const text = readFileSync(fileOfA, 'utf8')
  assert.is.not(text.replace(from, to), text, `there is no ${from}`)
  writeFileSync(fileOfA, text.replace(from, to))
}

/** A program that somebody else deploys. */
const shop = async (script: string, env: { name: string; value: string }[] = []) => {
  const made = demoWorkload({ tenant: 'client-a', namespace, name: 'shop', pool: 'client-a-pool' }) as unknown as {
    spec: { template: { spec: { containers: Record<string, unknown>[] } } }
  }
  Object.assign(made.spec.template.spec.containers[0]!, { name: 'shop', command: ['/bin/sh', '-c', script], env })
  const cluster = kube()
  await cluster.apply(made as never, { manager: 'shop-team' })
  await cluster.close()
}

const labelOf = async (name: string) => {
  const cluster = kube()
  const found = await cluster.get<Workload>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
  await cluster.close()
  return (found!.spec as { template: { metadata: { labels: Record<string, string> } } }).template.metadata.labels.egress
}

type Told = { event: string; workload: string; gate: string; verdict: { verdict: string; reason?: string } }
const gatesOf = (it: Ran, workload: string) =>
  (it.events as unknown as Told[]).filter(({ event, workload: of }) => event === 'gate' && of.endsWith(workload))

before(async () => {
  rmSync(join(tenants, 'client-b.yaml'))
  edit(/(soak: 1s }\n)/, `$1${own.slice(1)}`)
})

test("a tenant's own gates are asked after the others, of every workload", async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it)
  for (const workload of ['curl-demo', 'web-demo']) {
    const told = gatesOf(it, workload)
    assert.equal(told.filter(({ verdict }) => verdict.verdict !== 'pass'), []) // biome-ignore format: one line
    for (const name of ['an allowed destination answers', 'github answers', 'a check of our own', 'nobody panics'])
      assert.ok(told.some(({ gate }) => gate === name), `${name}: ${workload}`) // biome-ignore format: one line
  }
})

test('a program that ignores its proxy variables is named, and taken back alone', async () => {
  await shop('while :; do curl -s -m 30 --noproxy "*" -o /dev/null http://github.com/; sleep 0.2; done')
  edit('{ kind: Deployment, name: web-demo, demo: { replicas: 2 } }', '{ kind: Deployment, name: web-demo, demo: { replicas: 2 } }\n  - { kind: Deployment, name: shop }') // biome-ignore format: one line
  const it = await run('deploy.mjs', '--json')
  assert.is(it.code, 5, `${it.stdout.slice(-2000)}\n${it.stderr.slice(-2000)}`)
  const last = gatesOf(it, 'shop').at(-1)
  assert.is(last?.gate, 'no program goes past the proxy')
  assert.match(
    String(last?.verdict.reason),
    /^shop-\S+: a program asks for a connection to \S+ port 80, past the proxy$/,
  )
  assert.equal(await Promise.all(['shop', 'curl-demo'].map(labelOf)), [undefined, 'external'])
})

test('one that crashes behind the proxy is told with exit code and last words, and taken back', async () => {
  await shop('[ -z "$http_proxy" ] || { sleep 0.3; echo no way out for me >&2; exit 42; }; sleep infinity')
  const it = await run('deploy.mjs', '--json')
  assert.is(it.code, 5, `${it.stdout.slice(-2000)}\n${it.stderr.slice(-2000)}`)
  assert.match(it.stdout + it.stderr, /exit code 42.*no way out for me/)
  assert.equal(await labelOf('shop'), undefined)
})

test('an image without any tool is asked by a pod that stands in, and nothing of it is left', async () => {
  const script =
    'while :; do /usr/bin/curl -s -A shop/1.0 -m 5 -o /dev/null http://ifconfig.example/; /bin/sleep 0.3; done'
  await shop(script, [{ name: 'PATH', value: '/nowhere' }])
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const told = gatesOf(it, 'shop')
  assert.equal(told.filter(({ verdict }) => verdict.verdict !== 'pass'), []) // biome-ignore format: one line
  assert.ok(told.some(({ gate }) => gate === 'no program goes past the proxy'))
  assert.is(await labelOf('shop'), 'external')
  const cluster = kube()
  const { items } = await cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: PROBE_LABEL })
  await cluster.close()
  assert.equal(items, [])
})
