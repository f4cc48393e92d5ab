import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { teardown } from '../../../src/sandbox/machines/teardown.ts'
import { at, services } from '../../../src/sandbox/machines/world.ts'
import type { GatewaySpec, SecurityGroup, ServerSpec } from '../../../src/sandbox/ports.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { command, inNetns, type Lab, newLab } from './world.ts'

const { test, before, after } = suite('servers and gateways are real')

let lab: Lab
let hostKey: { private: string; public: string }

const admits = (...ports: number[]): SecurityGroup => ({
  inboundDefault: 'drop',
  outboundDefault: 'accept',
  rules: ports.map(port => ({
    direction: 'inbound',
    action: 'accept',
    protocol: 'TCP',
    ipRange: `${services(lab.world).operators}`,
    portFrom: port,
    portTo: null,
  })),
})

const key = () => join(lab.directory, 'id_ed25519')
const publicKey = () => readFileSync(`${key()}.pub`, 'utf8')

const userData = () => `#cloud-config
ssh_keys:
  ed25519_private: |
${hostKey.private.trim().replace(/^/gm, '    ')}
  ed25519_public: ${hostKey.public.trim()}
users:
  - name: deploy
    groups: [adm]
    shell: /bin/sh
    ssh_authorized_keys: [${publicKey().trim()}]
write_files:
  - path: /etc/demo/secret
    content: aGVsbG8=
    encoding: b64
    permissions: '0600'
bootcmd: [ 'echo boot >/root/order' ]
runcmd:
  - [ sh, -c, 'echo run >>/root/order' ]
  - echo "$((6 * 7))" >/root/answer
`

const server = (n: number, change: Partial<ServerSpec>): ServerSpec => ({
  id: `server-${n}`,
  name: `proxy-${n}`,
  publicIps: [],
  nics: [
    {
      id: `nic-${n}`,
      networkId: 'pn',
      address: `172.16.28.${7 + n}/22`,
      mac: `02:00:00:00:00:0${n}`,
      defaultRoute: '172.16.28.2',
    },
  ],
  securityGroup: admits(22),
  userData: null,
  authorizedKeys: [publicKey()],
  ...change,
})

const gateway = (): GatewaySpec => ({
  id: 'gateway-1',
  name: 'gateway',
  publicIp: `${at(lab.world, 10)}`,
  bastion: {
    enabled: true,
    port: 61000,
    allowedIps: [`${services(lab.world).operators}`],
    authorizedKeys: [publicKey()],
  },
  networks: [{ networkId: 'pn', address: '172.16.28.2/22', masquerade: true, defaultRoute: true }],
})

const ssh = (target: string, words: string, ...options: string[]) => {
  const known = join(lab.directory, 'known_hosts')
  const common = ['-i', key(), '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${known}`, '-o', 'ConnectTimeout=30']
  return command('ssh', [...options, ...common, target, words])
}
const netns = (name: string) => `${lab.world.prefix}${name}`
const seenFrom = async (name: string) =>
  (await inNetns(netns(name), 'curl', '-sS', '-m', '20', `http://${at(lab.world, 3)}/`)).stdout.trim()

before(async () => {
  lab = await newLab()
  const path = join(lab.directory, 'host_key')
  await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path])
  hostKey = { private: readFileSync(path, 'utf8'), public: readFileSync(`${path}.pub`, 'utf8') }
  const { machines } = lab.parts
  await machines.gatewayUp(gateway())
  await machines.serverUp(server(1, { publicIps: [`${at(lab.world, 100)}`], userData: userData() }))
  await machines.serverUp(server(2, {}))
})
after(async () => {
  lab.parts.close()
  await teardown(lab.directory)
})

test('a login as root meets the host key of the user data', async () => {
  const net = (n: number) => at(lab.world, n)
  await command('sh', ['-c', `echo "${net(100)} ${hostKey.public.trim()}" >>'${lab.directory}/known_hosts'`])
  const login = await ssh(`root@${net(100)}`, 'hostname; id -u', '-o', 'StrictHostKeyChecking=yes')
  assert.is(login.stdout, 'proxy-1\n0\n', login.stderr)
})

test('the user data was applied, in its order', async () => {
  const look =
    'cloud-init status --wait && cat /root/order /root/answer && stat -c "%a %U" /etc/demo/secret && cat /etc/demo/secret && id -nG deploy'
  const { stdout, stderr } = await ssh(`root@${at(lab.world, 100)}`, look)
  assert.is(stdout, 'status: done\nboot\nrun\n42\n600 root\nhellodeploy adm\n', stderr)
  const asUser = await ssh(`deploy@${at(lab.world, 100)}`, 'id -un')
  assert.is(asUser.stdout, 'deploy\n', asUser.stderr)
})

test('the machine itself is not to be seen from a server', async () => {
  const { stdout } = await ssh(
    `root@${at(lab.world, 100)}`,
    `ls -A /tmp /root/.ssh; ls -d '${lab.directory}' || echo hidden`,
  )
  assert.is(stdout, '/root/.ssh:\nauthorized_keys\n\n/tmp:\nhidden\n')
})

test('its devices are its own, down to a terminal', async () => {
  const mode = statSync('/dev/full').mode
  const spoil = 'ls -A /dev | tr "\\n" " "; echo x >/dev/null; chmod 600 /dev/full; rm /dev/full; tty'
  const { stdout } = await ssh(`root@${at(lab.world, 100)}`, spoil, '-tt')
  assert.equal(stdout.trim().split(/\s+/), [
    ...['fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero'],
    '/dev/pts/0',
  ])
  assert.is(statSync('/dev/full').mode, mode)
})

test('a server without a public address is reached through the bastion and leaves by the gateway', async () => {
  const net = (n: number) => at(lab.world, n)
  const jump = `ProxyCommand=ssh -i ${key()} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=${lab.directory}/known_hosts -p 61000 -W %h:%p bastion@${net(10)}`
  const curl = 'hostname; curl -sS -m 20 https://ifconfig.example/json'
  const login = await ssh('root@172.16.28.9', curl, '-o', jump, '-o', 'StrictHostKeyChecking=no')
  assert.is(login.stdout, `proxy-2\n{"ip":"${net(10)}"}`, login.stderr)
  const shell = await ssh(`bastion@${net(10)}`, 'id', '-p', '61000', '-o', 'StrictHostKeyChecking=no')
  assert.is.not(shell.code, 0)
  assert.not.match(shell.stdout, /uid/)
})

test('a server with a public address leaves by it', async () => {
  assert.is(await seenFrom('proxy-1'), `${at(lab.world, 100)}`)
})

test('the partner admits whom it is told', async () => {
  const ask = () =>
    inNetns(
      netns('proxy-1'),
      'curl',
      '-sS',
      '-m',
      '20',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://${at(lab.world, 4)}/`,
    )
  const knock = async () => {
    const database = `telnet://${at(lab.world, 4)}:5432`
    const asked = ['-s', '--connect-timeout', '1', '-m', '2', '-o', '/dev/null', '-w', '%{time_connect}', database]
    return Number((await inNetns(netns('proxy-1'), 'curl', ...asked)).stdout) > 0
  }
  assert.is((await ask()).stdout, '403')
  assert.is(await knock(), false, 'its packets are dropped')
  await lab.internet.admit([`${at(lab.world, 100)}/32`])
  assert.is((await ask()).stdout, '200')
  assert.is(await knock(), true)
})

test('a security group blocks and admits, in place, and an open connection lives on', async () => {
  const { machines } = lab.parts
  const net = (n: number) => at(lab.world, n)
  const spec = server(1, { publicIps: [`${net(100)}`], userData: userData() })
  const login = () => ssh(`root@${net(100)}`, 'true', '-o', 'ConnectTimeout=3')
  const inside = (path: string) => `/proc/${lab.parts.hosts().find(it => it.id === 'server-1')!.pid}/root${path}`
  const long = ssh(`root@${net(100)}`, 'touch /run/in; until [ -e /run/out ]; do sleep 0.1; done; echo still here')
  assert.ok(await until(() => existsSync(inside('/run/in')), 30))
  await machines.serverUp({ ...spec, securityGroup: admits(8080) })
  assert.is.not((await login()).code, 0)
  writeFileSync(inside('/run/out'), '')
  assert.is((await long).stdout, 'still here\n')
  await machines.serverUp(spec)
  assert.is((await login()).code, 0)
})

test('root on the server cannot lift the security group', async () => {
  const net = (n: number) => at(lab.world, n)
  const listen =
    "nft flush ruleset; setsid perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 3128, Listen => 1); alarm 90; push @c, $s->accept while 1' >/dev/null 2>&1 </dev/null & n=0; until ss -ltn | grep -q :3128; do n=$((n + 1)); [ $n -le 300 ] || exit 1; sleep 0.1; done; echo listens"
  assert.is((await ssh(`root@${net(100)}`, listen)).stdout, 'listens\n')
  assert.is(
    (await inNetns(netns('proxy-1'), 'curl', '-sS', '-m', '1', `http://${net(100)}:3128/`)).code,
    28,
    'it listens',
  )
  const outside = await command('curl', ['-sS', '--connect-timeout', '1', `http://${net(100)}:3128/`])
  assert.match(outside.stderr, /timed? ?out/i, 'silence, not a refusal')
})

test('a flexible address moves from one server to another', async () => {
  const { machines } = lab.parts
  const net = (n: number) => at(lab.world, n)
  await machines.serverUp(server(1, { publicIps: [`${net(101)}`], userData: userData() }))
  await machines.serverUp(server(2, { publicIps: [`${net(100)}`] }))
  assert.is(await seenFrom('proxy-1'), `${net(101)}`)
  assert.is(await seenFrom('proxy-2'), `${net(100)}`)
  await machines.serverUp(server(2, {}))
  assert.is(await seenFrom('proxy-2'), `${net(10)}`)
})

test('power off ends the processes and keeps the disk; user data is not applied twice', async () => {
  const { machines } = lab.parts
  const net = (n: number) => at(lab.world, n)
  const spec = server(1, { publicIps: [`${net(101)}`], userData: userData() })
  // What a server wants done before its network and its daemons are there.
  const early = `printf '#!/bin/sh\\n[ -e /run/sshd.pid ] || echo early >>/root/order\\n' >/etc/rcS.d/S10early; chmod 755 /etc/rcS.d/S10early`
  await ssh(`root@${net(101)}`, early, '-o', 'StrictHostKeyChecking=no')
  await machines.serverOff('server-1')
  assert.is(lab.parts.hosts().find(it => it.id === 'server-1')?.pid, null)
  await machines.serverUp({ ...spec, userData: '#cloud-config\nruncmd: [rm /root/order]\n' })
  const login = await ssh(`root@${net(101)}`, 'cat /root/order', '-o', 'StrictHostKeyChecking=no')
  assert.is(login.stdout, 'boot\nrun\nearly\n', login.stderr)
})

test('squid and ufw work inside as on any server', async () => {
  const words =
    'service squid start >/dev/null 2>&1; ufw allow 22/tcp >/dev/null; ufw --force enable >/dev/null; ufw status | head -1; n=0; until curl -sS -m 20 -x http://127.0.0.1:3128 https://whatismyip.example/; do n=$((n + 1)); [ $n -le 100 ] || exit 1; sleep 0.2; done'
  const { stdout, stderr } = await ssh(`root@${at(lab.world, 101)}`, words, '-o', 'StrictHostKeyChecking=no')
  assert.is(stdout, `Status: active\n${at(lab.world, 101)}\n`, stderr)
})
