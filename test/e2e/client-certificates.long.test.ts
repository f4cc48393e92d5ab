import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createKube } from '../../src/rollout/kube/kube.ts'
import { type Authority, makeAuthority } from '../support/authority.ts'
import { makeCheckout } from '../support/checkout.ts'
import { offerSquidOpenssl } from '../support/squid-openssl.ts'
import { suite } from '../support/suite.ts'
import { ok } from './looks.ts'

const { test, before, after } = suite('a tenant whose pods show certificates', { seconds: 230 })
const checkout = makeCheckout()
const { run, directory, state } = checkout
let authority: Authority

const tenants = join(directory, 'inventory/sandbox/tenants')
const namespace = 'client-a-demo'
const inCluster = async <T>(act: (kube: ReturnType<typeof createKube>) => Promise<T>): Promise<T> => {
  const kube = createKube({ kubeconfig: join(state, 'kubeconfig') })
  try {
    return await act(kube)
  } finally {
    await kube.close()
  }
}
const onProxy = async (command: string) => {
  const it = await run('sandbox.mjs', 'exec', 'proxy-client-a', '--', 'sh', '-c', command)
  ok(it)
  return it.stdout
}
type Template = { spec: { template: { spec: { volumes?: { name: string }[] } } } }
const volumes = () =>
  inCluster(async kube => {
    const it = await kube.get<Template>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'curl-demo' })
    return (it!.spec.template.spec.volumes ?? []).map(it => it.name)
  })

before(async () => {
  authority = makeAuthority()
  rmSync(join(tenants, 'client-b.yaml'))
  writeFileSync(join(directory, 'inventory/client-a-ca.pem'), authority.pem)
  const file = join(tenants, 'client-a.yaml')
  const said = 'egress:\n  clientCertificates: { ca: inventory/client-a-ca.pem, secret: egress-client }\n'
  writeFileSync(file, readFileSync(file, 'utf8').replace('egress:\n', said))
  ok(await run('deploy.mjs', '--json', '--tags', 'gateway,proxy,cluster'))
  await offerSquidOpenssl(onProxy)
})
after(async () => {
  authority?.remove()
  await checkout.remove()
})

test('without the Secret no workload is touched, and who reads knows what to make', async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it, 5)
  assert.match(it.stderr + it.stdout, /Secret client-a-demo\/egress-client: pods have no certificate to show/)
  assert.equal(await volumes(), [])
})

test('with it pods leave by TLS, every gate sees them do so, and the log knows by whose certificate', async () => {
  const { cert, key } = authority.issue('/CN=client-a')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const data = { 'tls.crt': base64(cert), 'tls.key': base64(key) }
  await inCluster(kube =>
    kube.apply({
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', data },
      metadata: { name: 'egress-client', namespace },
    }),
  )
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const proofs = it.events.filter(({ event }) => event === 'proof')
  assert.equal(
    proofs.map(({ tenant, failures }) => ({ tenant, failures })),
    [{ tenant: 'client-a', failures: [] }],
  )
  assert.equal(await volumes(), ['kapsule-egress-proxy'])
  const lines = (await onProxy('grep client-a /var/log/squid/audit.log')).trim().split('\n')
  const shown = lines.map(line => JSON.parse(line) as { certificate: string; verdict: string })
  assert.ok(shown.some(line => line.verdict === 'allowed'))
  assert.equal([...new Set(shown.map(line => line.certificate))], ['/CN=client-a'])
  const secret = key.split('\n')[1]!
  for (const text of [it.stdout, it.stderr, (await run('status.mjs', '--json')).stdout])
    assert.not.ok(text.includes(secret) || text.includes(data['tls.key'].slice(60, 120)))
})

test('nothing is left to do; the evidence holds; a rollback takes the files from the pods', async () => {
  ok(await run('deploy.mjs', '--check'))
  const out = join(directory, 'evidence')
  ok(await run('60-verify.mjs', '--tenant', 'client-a', '--evidence', out))
  ok(await run('rollback.ts', '--to', 'start', '--yes'))
  assert.equal(await volumes(), [])
})
