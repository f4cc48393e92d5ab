import * as assert from 'uvu/assert'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import { createWorld, eventually, type World } from './world.ts'

const { test, before, after } = suite('emulated Kubernetes: what is behind a Service')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

const services = '/api/v1/namespaces/default/services'
const endpoints = '/api/v1/namespaces/default/endpoints'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const made = async (path: string, body: Loose) => {
  const { code, body: answer } = await world.call('POST', path, body)
  assert.is(code, 201, JSON.stringify(answer))
  return answer
}
const ipOf = new Map<string, string>()
const service = async (name: string) => {
  const it = await made(services, { metadata: { name }, spec: { ports: [{ port: 3128 }] } })
  ipOf.set(name, it.spec.clusterIP)
}
const slice = (name: string, of: string, address: string) => ({
  metadata: { name, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 3128, protocol: 'TCP' }],
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
})
const behind = (name: string) =>
  world.fake.told.services.find(it => it.clusterIp === ipOf.get(name))?.endpoints.map(it => `${it.ip}:${it.port}`)
const isBehind = (name: string, wanted: string[]) =>
  eventually(() => String(behind(name)) === String(wanted), `${name}: ${wanted}`)

test('a Service without a selector is what slices say, whoever made them', async () => {
  await service('out')
  await made(slices, slice('out-a', 'out', '172.16.28.8'))
  await made(slices, slice('out-b', 'out', '172.16.28.18'))
  await made(slices, slice('other', 'nobody', '172.16.28.28'))
  await isBehind('out', ['172.16.28.8:3128', '172.16.28.18:3128'])
})

test('what becomes unready leaves, and comes back', async () => {
  const ready = async (value: boolean) => {
    const patch = [{ op: 'replace', path: '/endpoints/0/conditions/ready', value }]
    const { code } = await world.patch(`${slices}/out-a`, 'json-patch+json', patch)
    assert.is(code, 200)
  }
  await ready(false)
  await isBehind('out', ['172.16.28.18:3128'])
  await ready(true)
  await isBehind('out', ['172.16.28.8:3128', '172.16.28.18:3128'])
})

test('a slice that goes takes its addresses along', async () => {
  await world.call('DELETE', `${slices}/out-b`)
  await isBehind('out', ['172.16.28.8:3128'])
})

test('Endpoints made by hand are mirrored, changed and gone again', async () => {
  await service('old')
  const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ port: 8080, protocol: 'TCP' }] }]
  await made(endpoints, { metadata: { name: 'old' }, subsets: subsets('172.16.28.40') })
  await isBehind('old', ['172.16.28.40:8080'])
  await world.patch(`${endpoints}/old`, 'merge-patch+json', { subsets: subsets('172.16.28.41') })
  await isBehind('old', ['172.16.28.41:8080'])
  await world.call('DELETE', `${endpoints}/old`)
  await isBehind('old', [])
})

test('a patch by index stops where the slice has become another', async () => {
  const patch = [
    { op: 'test', path: '/endpoints/0/addresses/0', value: '172.16.28.99' },
    { op: 'replace', path: '/endpoints/0/conditions/ready', value: false },
  ]
  const { code } = await world.patch(`${slices}/out-a`, 'json-patch+json', patch)
  assert.is(code, 422)
  assert.equal(behind('out'), ['172.16.28.8:3128'])
})
