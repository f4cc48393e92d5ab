import * as assert from 'uvu/assert'
import { apiEndpointsKind } from '../../src/rollout/api-endpoints.ts'
import { egressPolicy } from '../../src/rollout/manifests.ts'
import { suite } from '../support/suite.ts'
import { report, startCluster } from './cluster.ts'

const { test, before, after } = suite('rollout/api-endpoints')
let cluster: Awaited<ReturnType<typeof startCluster>>
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.close())

const look = () => apiEndpointsKind.read({ kubeconfig: cluster.kubeconfig }, cluster.clients, report())
const api = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }

test('the API server is known by its Service and by what is behind it', async () => {
  assert.equal(await look(), {
    rule: {
      to: [{ ipBlock: { cidr: '10.32.0.1/32' } }, { ipBlock: { cidr: '198.18.0.1/32' } }],
      ports: [
        { protocol: 'TCP', port: 443 },
        { protocol: 'TCP', port: 6443 },
      ],
    },
  })
})

test('of several, over IPv6 too, each is told once and in order', async () => {
  const metadata = { name: 'second', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } }
  const ports = [{ name: 'https', port: 6443, protocol: 'TCP' }]
  const addresses = ['2001:db8::7', '2001:db8::3']
  await cluster.kube.create({ ...api, metadata, addressType: 'IPv6', endpoints: [{ addresses }], ports })
  const { to } = (await look())!.rule as { to: { ipBlock: { cidr: string } }[] }
  assert.equal(
    to.map(it => it.ipBlock.cidr),
    ['10.32.0.1/32', '198.18.0.1/32', '2001:db8::3/128', '2001:db8::7/128'],
  )
})

test('a Service with nothing behind it never makes a rule that lets out to everywhere', async () => {
  for (const name of ['kubernetes', 'second']) await cluster.kube.delete({ ...api, namespace: 'default', name })
  const { rule } = (await look())!
  assert.equal((rule as { to: unknown }).to, [{ ipBlock: { cidr: '10.32.0.1/32' } }])
  const ranges = { pods: '100.64.0.0/15', services: '10.32.0.0/20', dnsIp: '10.32.0.10' }
  const { egress } = egressPolicy({ namespace: 'a' }, [], { ...ranges, api: rule }).spec as { egress: unknown[] }
  assert.equal(egress.at(-1), rule)
})

test('without the Service nobody guesses', async () => {
  await cluster.kube.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'kubernetes' })
  assert.is(await look(), null)
  try {
    await apiEndpointsKind.apply({ kubeconfig: cluster.kubeconfig }, cluster.clients, null, report())
    assert.unreachable()
  } catch (thrown) {
    assert.match(String((thrown as { why?: string }).why), /cuts them off/)
  }
})
