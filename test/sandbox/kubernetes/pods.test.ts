import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import type { Loose } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'
import type { World } from './world.ts'
import { createWorld, eventually } from './world.ts'

const { test, before, after } = suite('pods on the emulated API')
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const url = '/api/v1/namespaces/default/pods'
const pod = (name: string, container: Loose = {}, spec: Loose = {}, labels: Loose = {}): Loose => ({
  metadata: { name, labels },
  spec: { ...spec, containers: [{ name: 'main', image: 'x', ...container }] },
})
const status = async (name: string) => (await world.call('GET', `${url}/${name}`)).body.status
const run = async (body: Loose) => {
  const made = await world.call('POST', url, body)
  assert.is(made.code, 201, JSON.stringify(made.body))
  await eventually(async () => (await status(body.metadata.name)).phase === 'Running', `${body.metadata.name} runs`)
}

test('environment, files and names as a container sees them', async () => {
  const home = '/api/v1/namespaces/default'
  await world.call('POST', `${home}/configmaps`, {
    metadata: { name: 'proxy' },
    data: { PROXY_ADDRESS: '172.16.28.8', 'file.conf': 'x=1\n' },
  })
  await world.call('POST', `${home}/secrets`, { metadata: { name: 'key' }, stringData: { token: 'abc' } })
  const env = [
    { name: 'HTTPS_PROXY', value: 'http://$(PROXY_ADDRESS):3128' },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'key', key: 'token' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'KEPT', value: '$$(IP) $(NONE)' },
  ]
  const volumeMounts = [{ name: 'conf', mountPath: '/etc/conf' }]
  const volumes = [{ name: 'conf', configMap: { name: 'proxy', items: [{ key: 'file.conf', path: 'a.conf' }] } }]
  await run(
    pod(
      'full',
      {
        env,
        envFrom: [{ configMapRef: { name: 'proxy' } }],
        volumeMounts,
        command: ['run', '$(IP)'],
        securityContext: { runAsUser: 13 },
      },
      { volumes },
    ),
  )
  const spec = world.fake.spec('full')!
  const [container] = spec.containers
  assert.is(container!.env.HTTPS_PROXY, 'http://172.16.28.8:3128')
  assert.is(container!.env.TOKEN, 'abc')
  assert.is(container!.env.IP, spec.ip)
  assert.is(container!.env.KEPT, '$(IP) $(NONE)')
  assert.equal(container!.command, ['run', spec.ip])
  const own = Object.entries(container!.files).filter(([path]) => !path.startsWith('/var/run/secrets/'))
  assert.equal(Object.fromEntries(own), {})
  assert.equal(container!.mounts, [{ volume: 'conf', path: '/etc/conf' }])
  assert.equal(spec.volumes, [{ name: 'conf', files: { 'a.conf': 'x=1\n' }, mode: 0o644 }])
  assert.is(container!.runAsUser, 13)
  assert.equal(spec.dns, {
    nameservers: ['10.96.0.10'],
    searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    options: ['ndots:5'],
  })
})

test('a ConfigMap that changes reaches a running pod, at once when the pod is annotated', async () => {
  const home = '/api/v1/namespaces/default'
  const merge = (path: string, body: Loose) => world.patch(path, 'merge-patch+json', body)
  await merge(`${home}/configmaps/proxy`, { data: { 'file.conf': 'x=2\n' } })
  const held = () => world.fake.spec('full')!.volumes![0]!.files
  assert.equal(held(), { 'a.conf': 'x=1\n' }, 'not before the next sync, a minute later')
  await merge(`${url}/full`, { metadata: { annotations: { told: '2' } } })
  await eventually(() => held()!['a.conf'] === 'x=2\n', 'it is there')
  await world.call('DELETE', `${home}/configmaps/proxy`)
  await merge(`${url}/full`, { metadata: { annotations: { told: '3' } } })
  await merge(`${url}/full`, { metadata: { annotations: { told: '4' } } })
  assert.equal(held(), { 'a.conf': 'x=2\n' }, 'what is gone stays mounted')
})

test('a preStop command runs before a container is stopped, within the grace of its pod', async () => {
  const ran: string[][] = []
  world.fake.onExec((command, it) => {
    ran.push(command)
    it.end(0)
  })
  const lifecycle = { preStop: { exec: { command: ['goodbye'] } } }
  for (const name of ['polite', 'hasty']) await run(pod(name, { lifecycle }))
  const stops = () => world.fake.calls.filter(it => /^stop (polite|hasty)$/.test(it))
  await world.call('DELETE', `${url}/hasty?gracePeriodSeconds=0`)
  await eventually(() => stops().length === 1, 'it is stopped')
  assert.equal(ran, [], 'without a grace nobody is asked')
  await world.call('DELETE', `${url}/polite?gracePeriodSeconds=5`)
  await eventually(() => stops().length === 2, 'it is stopped')
  assert.equal(ran, [['goodbye']])
})

test('a container without a command sleeps', async () => {
  await run(pod('idle'))
  assert.equal(world.fake.spec('idle')!.containers[0]!.command, ['sleep', 'infinity'])
})

test('what is missing is named, and the pod starts when it comes', async () => {
  await world.call('POST', url, pod('waits', { envFrom: [{ configMapRef: { name: 'late' } }] }))
  const waiting = await eventually(
    async () => (await status('waits')).containerStatuses?.[0]?.state.waiting,
    'a reason',
  )
  assert.equal(waiting, { reason: 'CreateContainerConfigError', message: 'configmap "late" not found' })
  await world.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'late' }, data: {} })
  await eventually(async () => (await status('waits')).phase === 'Running', 'it runs')
})

test('policies are in force before the first process of a pod', async () => {
  const policy = {
    metadata: { name: 'deny' },
    spec: { podSelector: { matchLabels: { guarded: 'yes' } }, policyTypes: ['Egress'] },
  }
  await world.call('POST', '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies', policy)
  for (let n = 0; n < 5; n++) await run(pod(`guarded-${n}`, {}, {}, { guarded: 'yes' }))
  for (let n = 0; n < 5; n++) assert.is(world.fake.isolatedAtStart.get(`guarded-${n}`), true)
  assert.is(world.fake.isolatedAtStart.get('idle'), false)
  await world.patch(`${url}/idle`, 'merge-patch+json', { metadata: { labels: { guarded: 'yes' } } })
  await eventually(() => world.fake.told.policies.length === 6, 'the label puts a running pod under the policy')
  await world.call('DELETE', '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/deny')
  await eventually(() => world.fake.told.policies.length === 0, 'no policy, no rules')
})

test('a Service reaches ready pods only, and has a name', async () => {
  await world.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
  })
  const ports = [{ name: 'http', containerPort: 8080 }]
  await run(pod('web', { ports }, {}, { app: 'web' }))
  const others = () => world.fake.told.services.filter(it => it.port !== 443)
  const rule = await eventually(() => others().find(it => it.endpoints.length === 1), 'an endpoint')
  assert.is(rule.endpoints[0]!.port, 8080)
  assert.is(rule.port, 80)
  assert.is(world.fake.told.names['web.default.svc.cluster.local'], rule.clusterIp)
  assert.not(Object.keys(world.fake.told.names).some(it => it.startsWith('kubernetes.')))
  await world.call('DELETE', `${url}/web`, { gracePeriodSeconds: 0 })
  await eventually(() => others().every(it => it.endpoints.length === 0), 'no endpoint')
})

test('logs follow until the client goes', async () => {
  const once = await world.call('GET', `${url}/idle/log`)
  assert.is(once.body, 'hello\n')
  const following = world.call('GET', `${url}/idle/log?follow=true`)
  await eventually(() => world.fake.followers() === 1, 'the machine is asked')
  world.fake.log('one\n')
  world.fake.log('two\n')
  world.fake.endLog()
  assert.is((await following).body, 'one\ntwo\n')
  assert.is((await world.call('GET', `${url}/idle/log?container=none`)).code, 400)
})

const exec = (query: string, protocol: string) => {
  const { port, token } = world.state()
  const headers = { authorization: `Bearer ${token}` }
  return new WebSocket(`wss://127.0.0.1:${port}${url}/idle/exec?${query}`, [protocol], {
    headers,
    rejectUnauthorized: false,
  })
}

for (const { protocol, code } of [
  { protocol: 'v5.channel.k8s.io', code: 0 },
  { protocol: 'v4.channel.k8s.io', code: 42 },
]) {
  test(`exec over ${protocol}, exit code ${code}`, async () => {
    world.fake.onExec((command, it) => {
      it.stderr.write(command.join(' '))
      it.stdin.on('data', data => it.stdout.write(`<${data}>`))
      if (code) it.stdin.once('data', () => it.end(code))
      else it.stdin.on('end', () => it.end(0))
    })
    const socket = exec('command=cat&command=-n&stdin=1&stdout=1&stderr=1', protocol)
    const got: Record<number, string> = {}
    socket.on('message', (data: Buffer) => {
      got[data[0]!] = (got[data[0]!] ?? '') + data.subarray(1)
    })
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
    assert.is(socket.protocol, protocol)
    socket.send(Buffer.from([0, ...Buffer.from('hi')]))
    if (!code) socket.send(Buffer.from([255, 0]))
    await new Promise(resolve => socket.on('close', resolve))
    assert.is(got[1], '<hi>')
    assert.is(got[2], 'cat -n')
    const ended = JSON.parse(got[3]!)
    assert.is(ended.status, code ? 'Failure' : 'Success')
    if (code) assert.equal(ended.details.causes, [{ reason: 'ExitCode', message: String(code) }])
  })
}

test('a wrong token is refused everywhere', async () => {
  const wrong = { authorization: 'Bearer wrong' }
  for (const path of [url, '/version', '/apis', '/none'])
    assert.is((await world.call('GET', path, undefined, wrong)).code, 401)
  const { port } = world.state()
  const socket = new WebSocket(`wss://127.0.0.1:${port}${url}/idle/exec?command=x`, ['v5.channel.k8s.io'], {
    headers: wrong,
    rejectUnauthorized: false,
  })
  const code = await new Promise(resolve =>
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode)).on('error', () => {}),
  )
  assert.is(code, 401)
})

test('after a restart: same address, same objects, no pod started twice, missing ones started', async () => {
  const { port, token } = world.state()
  const running = world.fake.specs().map(it => it.name)
  const missing = 'idle'
  const from = world.fake.calls.length
  await world.clusters.close()
  world.fake.lose(missing)
  await world.restart()
  assert.is(world.state().port, port)
  assert.is(world.state().token, token)
  await eventually(() => world.fake.spec(missing), 'the missing pod runs')
  assert.equal(world.fake.calls.slice(from), [`start ${missing}`])
  assert.equal(
    world.fake
      .specs()
      .map(it => it.name)
      .sort(),
    running.sort(),
  )
})

test('a node that leaves takes its pods along', async () => {
  await world.clusters.removeNode('cluster-1', 'node-1')
  assert.is(world.fake.specs().length, 0)
  assert.ok(world.fake.calls.includes('leave node-1'))
  assert.equal(
    [...world.fake.told.nodes.values()].map(it => it.peers),
    [[]],
  )
  await eventually(async () => (await world.call('GET', url)).body.items.length === 0, 'no pod is left')
})

test('the API server is an endpoint behind its Service, outside of the ranges of pods and Services', async () => {
  const rule = await eventually(() => world.fake.told.services.find(it => it.port === 443), 'its Service')
  assert.equal(rule.endpoints, [{ ip: '198.18.0.1', port: 6443 }])
})
