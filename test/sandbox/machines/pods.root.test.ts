import * as assert from 'uvu/assert'
import { teardown } from '../../../src/sandbox/machines/teardown.ts'
import { at } from '../../../src/sandbox/machines/world.ts'
import type { PodSpec } from '../../../src/sandbox/ports.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { type Lab, newLab } from './world.ts'

const { test, before, after } = suite('pods are real')

let lab: Lab
const clusterId = 'cluster-1'
const serve = (text: string) => ['perl', '-MIO::Socket::INET', '-e', server, text]
// curl-able, in what every Debian has
const server = `my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die $!; $SIG{TERM} = sub { exit 7 };
while (my $c = $s->accept) { my $l = <$c>; my $b = "$ARGV[0] " . $c->peerhost . "\\n"; print $c "HTTP/1.0 200 OK\\r\\nContent-Length: " . length($b) . "\\r\\n\\r\\n$b"; close $c }`

const pod = (name: string, node: number, last: number, command = ['sleep', 'infinity']): PodSpec => ({
  uid: `uid-${name}`,
  name,
  namespace: 'demo',
  node: `node-${node}`,
  clusterId,
  ip: `10.100.${node}.${last}`,
  dns: {
    nameservers: ['10.32.0.10'],
    searches: ['demo.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    options: ['ndots:5'],
  },
  containers: [{ name: 'main', command, env: { WHO: `it's ${name}` }, files: { '/etc/config/key': 'value' } }],
})

const exec = async (name: string, ...command: string[]) => {
  const run = lab.parts.pods.exec(`uid-${name}`, 'main', command, { tty: false, stdin: false })
  let stdout = ''
  let stderr = ''
  run.stdout.on('data', data => {
    stdout += data
  })
  run.stderr.on('data', data => {
    stderr += data
  })
  return { code: await run.ended, stdout, stderr }
}
const curl = (name: string, url: string) => exec(name, 'curl', '-sS', '-m', '20', url)
/** Silence: nothing comes back, not even a refusal. That has to be waited for. */
const isDropped = async (name: string, url: string) =>
  (await exec(name, 'curl', '-sS', '--connect-timeout', '2', url)).code === 28

before(async () => {
  lab = await newLab()
  const { machines, pods } = lab.parts
  await machines.gatewayUp({
    id: 'gateway-1',
    name: 'gateway',
    publicIp: `${at(lab.world, 10)}`,
    bastion: { enabled: false, port: 61000, allowedIps: [], authorizedKeys: [] },
    networks: [{ networkId: 'pn', address: '172.16.28.2/22', masquerade: true, defaultRoute: true }],
  })
  for (const n of [1, 2]) {
    const name = `node-${n}`
    const address = `172.16.28.${20 + n}/22`
    await machines.nodeUp({ id: name, name, clusterId, networkId: 'pn', address, defaultRoute: '172.16.28.2' })
    const ranges = { podCidr: `10.100.${n}.0/24`, clusterPodCidr: '10.100.0.0/16', serviceCidr: '10.32.0.0/20' }
    await pods.joinNode({ name, clusterId, ...ranges, peers: [] })
  }
  await pods.start(pod('client', 1, 10))
  await pods.start(pod('near', 1, 11, serve('near')))
  await pods.start(pod('far', 2, 12, serve('far')))
  const serves = async (url: string) => (await curl('client', url)).code === 0
  for (const it of ['10.100.1.11', '10.100.2.12'])
    assert.ok(await until(() => serves(`http://${it}:8080/`), 30), `${it} does not serve`)
})
after(async () => {
  lab.parts.close()
  await teardown(lab.directory)
})

test('a container has its environment, its files and nobody else in sight', async () => {
  const { stdout } = await exec(
    'client',
    'sh',
    '-c',
    'echo "$WHO $HOSTNAME"; cat /etc/config/key; ls -d /proc/[0-9]* | wc -l',
  )
  assert.is(stdout, "it's client client\nvalue4\n")
})

test('a volume is shared, turns as a whole in a running container, and the root around it can be read-only', async () => {
  const base = pod('volumes', 1, 14)
  const mounts = [
    { volume: 'conf', path: '/etc/conf' },
    { volume: 'room', path: '/room' },
  ]
  const limits = { runAsUser: 13, readOnly: true, noNewPrivileges: true, noCapabilities: true }
  const other = { name: 'other', command: ['sleep', 'infinity'], env: {}, files: {}, mounts }
  const conf = (files: Record<string, string>) => ({ name: 'conf', files, mode: 0o555 })
  await lab.parts.pods.start({
    ...base,
    volumes: [conf({ one: 'echo 1\n', both: 'a' }), { name: 'room' }],
    containers: [{ ...base.containers[0]!, mounts, ...limits }, other],
  })
  const sh = (text: string) => exec('volumes', 'sh', '-c', text)
  assert.is((await sh('/etc/conf/one && echo x >/room/x')).stdout, '1\n', 'its mode is that of the volume')
  for (const it of ['/x', '/etc/x', '/run/x', '/etc/conf/x', '/var/tmp/x'])
    assert.is.not((await sh(`: >${it}`)).code, 0, it)
  assert.is(
    (await sh('grep -E "^(CapBnd|NoNewPrivs)" /proc/self/status | tr -d "\\n\\t "')).stdout,
    'CapBnd:0000000000000000NoNewPrivs:1',
  )
  await lab.parts.pods.refresh('uid-volumes', [conf({ two: 'echo 2\n', both: 'b' })])
  assert.is((await sh('ls /etc/conf; cat /etc/conf/both; readlink /etc/conf/both')).stdout, 'both\ntwo\nb..data/both\n')
  await lab.parts.pods.restart('uid-volumes', 'main')
  assert.is((await sh('cat /etc/conf/both /room/x')).stdout, 'bx\n', 'both outlive the container')
  const seen = lab.parts.pods.exec('uid-volumes', 'other', ['cat', '/room/x'], { tty: false, stdin: false })
  assert.is(await seen.ended, 0)
  await lab.parts.pods.stop('uid-volumes', 0)
})

test('containers whose turn comes later begin when told, and a sidecar ends after the others', async () => {
  const base = pod('turns', 1, 15)
  const mounts = [{ volume: 'room', path: '/room' }]
  const saying = (name: string, turn: 'init' | 'sidecar' | 'after', text: string) => ({
    ...{ name, turn, env: {}, files: {}, mounts },
    command: ['bash', '-c', text],
  })
  const slow = (name: string) => `trap 'sleep 0.7; exit 0' TERM; echo up >/room/${name}; while :; do sleep 0.05; done`
  const containers = [
    saying('main', 'after', slow('main')),
    saying('first', 'init', 'echo first >/room/order; exit 3'),
    ...['beside', 'other'].map(it => saying(it, 'sidecar', slow(it))),
  ]
  const spec = { ...base, volumes: [{ name: 'room' }], containers }
  const { pods } = lab.parts
  await pods.start(spec)
  const state = async () => (await pods.state('uid-turns'))?.containers
  assert.equal(await state(), {}, 'nothing runs')
  await pods.restart('uid-turns', 'first')
  assert.ok(await until(async () => (await state())?.first?.exitCode === 3, 20), 'it has ended')
  for (const it of ['beside', 'main']) await pods.restart('uid-turns', it)
  await pods.start(spec)
  assert.equal(Object.keys((await state())!).sort(), ['beside', 'first', 'main'], 'who starts it again begins nothing')
  await pods.restart('uid-turns', 'other')
  const room = async (file: string) => (await exec('turns', 'cat', `/room/${file}`)).stdout
  const areUp = async () => (await Promise.all(['beside', 'main', 'other'].map(room))).every(it => it === 'up\n')
  assert.ok(await until(areUp, 20), 'all run')
  assert.is(await room('order'), 'first\n')
  await pods.halt('uid-turns', 'other', 10)
  const { other, main } = (await state())!
  assert.equal([other?.exitCode, main?.exitCode], [0, null], 'one was told and let end, the others run on')
  const began = Date.now()
  await pods.stop('uid-turns', 20)
  assert.ok(Date.now() - began >= 1400, 'the sidecar was told when the others had ended')
  assert.is(await pods.state('uid-turns'), null)
})

test('pods reach each other with their own addresses, on their node and across', async () => {
  assert.is((await curl('client', 'http://10.100.1.11:8080/')).stdout, 'near 10.100.1.10\n')
  assert.is((await curl('client', 'http://10.100.2.12:8080/')).stdout, 'far 10.100.1.10\n')
})

test('pods leave the cluster by the gateway, and trust the CA', async () => {
  assert.is((await curl('client', 'https://whatismyip.example/')).stdout, `${at(lab.world, 10)}\n`)
})

test('names: of the cluster by setNames, of the internet, and none', async () => {
  await lab.parts.pods.setNames(clusterId, { 'web.demo.svc.cluster.local': '10.32.0.50' })
  assert.match((await exec('client', 'getent', 'ahostsv4', 'web')).stdout, /^10\.32\.0\.50 /)
  assert.match((await exec('client', 'getent', 'ahostsv4', 'mixed.evil.example')).stdout, /172\.16\.28\.8/)
  assert.is((await exec('client', 'getent', 'ahostsv4', 'nobody.example')).code, 2)
})

test('a Service draws one of its endpoints, also for one that calls itself', async () => {
  const rule = { clusterIp: '10.32.0.50', protocol: 'TCP' as const, port: 80 }
  const endpoints = [
    { ip: '10.100.1.11', port: 8080 },
    { ip: '10.100.2.12', port: 8080 },
  ]
  await lab.parts.pods.setServices(clusterId, [{ ...rule, endpoints }])
  const seen = new Set<string>()
  for (let n = 0; n < 24; n++) seen.add((await curl('client', 'http://web/')).stdout.split(' ')[0]!)
  assert.equal([...seen].sort(), ['far', 'near'])
  await lab.parts.pods.setServices(clusterId, [{ ...rule, endpoints: endpoints.slice(0, 1) }])
  assert.match((await curl('near', 'http://10.32.0.50/')).stdout, /^near /)
  await lab.parts.pods.setServices(clusterId, [{ ...rule, endpoints: [] }])
  assert.is((await curl('client', 'http://web/')).code, 7, 'refused at once')
})

test('a policy drops what it does not allow, and only that', async () => {
  const dns = { cidr: '10.32.0.10/32', except: [], ports: [{ protocol: 'UDP' as const, port: 53 }] }
  const far = {
    cidr: '10.100.0.0/16',
    except: ['10.100.1.0/24'],
    ports: [{ protocol: 'TCP' as const, port: 8000, endPort: 8100 }],
  }
  await lab.parts.pods.setPolicies(clusterId, [{ podIp: '10.100.1.10', egress: [dns, far] }])
  assert.is((await curl('client', 'http://10.100.2.12:8080/')).stdout, 'far 10.100.1.10\n')
  assert.ok(await isDropped('client', 'http://10.100.1.11:8080/'), 'dropped, not refused')
  assert.ok(await isDropped('client', 'http://whatismyip.example/'))
  assert.is((await curl('near', 'http://whatismyip.example/')).stdout, `${at(lab.world, 10)}\n`)
  await lab.parts.pods.setPolicies(clusterId, [{ podIp: '10.100.2.12', ingress: [] }])
  assert.ok(await isDropped('client', 'http://10.100.2.12:8080/'))
  await lab.parts.pods.setPolicies(clusterId, [])
  assert.is((await curl('client', 'http://10.100.2.12:8080/')).code, 0)
})

test('exec passes stdin, both streams and the exit code', async () => {
  const run = lab.parts.pods.exec('uid-client', 'main', ['sh', '-c', 'cat; echo no >&2; exit 5'], {
    tty: false,
    stdin: true,
  })
  let out = ''
  for (const it of [run.stdout, run.stderr]) it.on('data', data => (out += data))
  run.stdin.end('yes\n')
  assert.is(await run.ended, 5)
  assert.equal(out.split('\n').sort(), ['', 'no', 'yes'])
  const long = lab.parts.pods.exec('uid-client', 'main', ['sleep', '1000'], { tty: false, stdin: false })
  setTimeout(() => long.kill(), 100)
  assert.is(await long.ended, 137)
})

test('a log is kept, followed to the end, and the exit code with it', async () => {
  const job = 'echo one; echo two >&2; until [ -e /go ]; do sleep 0.1; done; echo three; exit 3'
  await lab.parts.pods.start(pod('job', 2, 13, ['sh', '-c', job]))
  assert.is((await lab.parts.pods.state('uid-job'))?.containers.main?.exitCode, null)
  let text = ''
  for await (const it of lab.parts.pods.logs('uid-job', 'main', { follow: new AbortController().signal })) {
    text += it
    if (text === 'one\ntwo\n') assert.is((await exec('job', 'touch', '/go')).code, 0)
  }
  assert.is(text, 'one\ntwo\nthree\n')
  assert.is((await lab.parts.pods.state('uid-job'))?.containers.main?.exitCode, 3)
  text = ''
  for await (const it of lab.parts.pods.logs('uid-job', 'main', { tailLines: 2 })) text += it
  assert.is(text, 'two\nthree\n')
  await lab.parts.pods.restart('uid-job', 'main')
  assert.is((await lab.parts.pods.state('uid-job'))?.containers.main?.exitCode, null)
  text = ''
  for await (const it of lab.parts.pods.logs('uid-job', 'main', { previous: true, tailLines: 1 })) text += it
  assert.is(text, 'three\n', 'the log of the run before')
})

test('stop waits for a container that handles TERM, and leaves no namespace', async () => {
  await lab.parts.pods.stop('uid-far', 5)
  assert.is(await lab.parts.pods.state('uid-far'), null)
  assert.is(
    lab.parts.hosts().some(it => it.name === 'demo/far'),
    false,
  )
})

test('twenty pods start at once', async () => {
  const names = Array.from({ length: 20 }, (_, n) => pod(`many-${n}`, 1 + (n % 2), 100 + n))
  await Promise.all(names.map(it => lab.parts.pods.start(it)))
  for (const { uid } of names) assert.is((await lab.parts.pods.state(uid))?.running, true)
  assert.is((await curl('many-19', 'http://whatismyip.example/')).stdout, `${at(lab.world, 10)}\n`)
  await Promise.all(names.map(it => lab.parts.pods.stop(it.uid, 0)))
})
