import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { ufwTask } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { type GuardedHost, guardedHost } from '../support/guarded-host.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('what others put before ufw, on a real host')
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
const us = '192.0.2.128/25'
const wall = ufwTask({
  ssh: { allow: [us], port: 22 },
  proxy: { from: [us], ports: [3128] },
  outgoing: { nameservers: ['10.9.9.9'], inner: ['203.0.113.128/25'] },
  confirmSeconds: 60,
})
let host: GuardedHost
const kernel = () => host.sh('iptables -S; ip6tables -S')
const diff = async (task = wall) => (await host.differs([task]))?.details?.[0]?.diff ?? ''

before(async () => {
  host = await guardedHost(28, ssh)
  await host.apply([wall])
})
after(async () => {
  await ssh.close()
  await host?.down()
})

for (const { put, gone, seen } of [
  { put: 'iptables -I INPUT -j ACCEPT', gone: 'iptables -D INPUT -j ACCEPT', seen: 'v4 -A INPUT -j ACCEPT' },
  { put: 'ip6tables -A INPUT -j ACCEPT', gone: 'ip6tables -D INPUT -j ACCEPT', seen: 'v6 -A INPUT -j ACCEPT' },
  {
    put: 'iptables -N mine; iptables -A mine -p tcp -m multiport --dports 80,3128 -j ACCEPT; iptables -I INPUT 2 -s 10.0.0.0/8 -j mine',
    gone: 'iptables -D INPUT -s 10.0.0.0/8 -j mine',
    seen: 'v4 -A INPUT -s 10.0.0.0/8 -j mine',
  },
  {
    put: 'iptables -I OUTPUT -m owner --uid-owner proxy -j ACCEPT',
    gone: 'iptables -D OUTPUT -m owner --uid-owner proxy -j ACCEPT',
    seen: 'v4 -A OUTPUT -m owner --uid-owner proxy -j ACCEPT',
  },
  { put: 'iptables -I FORWARD -j ACCEPT', gone: 'iptables -D FORWARD -j ACCEPT', seen: 'v4 -A FORWARD -j ACCEPT' },
])
  test(`${put}: drift, and refused with the command that removes it, before anything is changed`, async () => {
    host.sh(put)
    const was = kernel()
    assert.is(await diff(), `! ${seen}: not ufw's, and lets traffic past it`)
    const thrown = await host.refuses([wall])
    assert.instance(thrown, Problem)
    assert.match(thrown.why, seen.replace('v4 ', 'v4: ').replace('v6 ', 'v6: '))
    assert.ok(thrown.next.split('\n').includes(gone), thrown.next)
    assert.is(kernel(), was)
    assert.not(host.armed())
    host.sh(gone)
    assert.is(await diff(), '')
  })

test('what a container engine, fail2ban and others put there is told, and left', async () => {
  host.sh(`iptables -N DOCKER-USER; iptables -N DOCKER
iptables -A DOCKER-USER -j RETURN; iptables -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
iptables -I FORWARD -o docker0 -j DOCKER; iptables -I FORWARD -i docker0 ! -o docker0 -j ACCEPT; iptables -I FORWARD -j DOCKER-USER
iptables -N f2b-sshd; iptables -A f2b-sshd -s 198.51.100.9/32 -j REJECT; iptables -A f2b-sshd -j RETURN
iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
iptables -I INPUT -i lo -j ACCEPT
iptables -I INPUT -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment 'says -j nothing' -j ACCEPT
iptables -I INPUT -p tcp -m tcp --dport 9999 -j ACCEPT
iptables -I INPUT -p icmp -j ACCEPT
iptables -I OUTPUT -m owner --uid-owner root -j ACCEPT`)
  assert.is(await diff(), '')
  const was = kernel()
  const other = { ...wall, logging: 'medium' as const }
  const told = await diff(other)
  for (const it of ['-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd', '-A FORWARD -j DOCKER-USER'])
    assert.ok(told.split('\n').includes(`= v4 ${it}  # not ufw's, left`), told)
  await host.apply([other])
  await host.apply([{ ...wall, logging: 'low' }])
  assert.is(kernel(), was)
})

for (const { what, run, told } of [
  {
    what: 'a chain emptied',
    run: 'iptables -F INPUT; iptables -P INPUT ACCEPT',
    told: '! v4 -A INPUT -j ufw-before-input: not in force in the kernel',
  },
  {
    what: 'one jump gone',
    run: 'ip6tables -D OUTPUT -j ufw6-before-output',
    told: '! v6 -A OUTPUT -j ufw6-before-output: not in force in the kernel',
  },
  {
    what: 'the jump to what is allowed gone',
    run: 'iptables -D ufw-before-input -j ufw-user-input',
    told: '! v4 -A ufw-before-input -j ufw-user-input: not in force in the kernel',
  },
  {
    what: "an ACCEPT in a chain of ufw's",
    run: 'iptables -I ufw-before-input -j ACCEPT',
    told: '! v4 -A ufw-before-input -j ACCEPT: in the kernel only',
  },
  {
    what: 'what is routed open by default',
    run: 'ip6tables -P FORWARD ACCEPT',
    told: "! v6: the kernel's default for routed is ACCEPT",
  },
])
  test(`${what}: named, and mended`, async () => {
    const was = kernel()
    host.sh(run)
    const seen = await diff()
    assert.ok(seen.split('\n').includes(told), seen)
    await host.apply([wall])
    assert.is(await diff(), '')
    if (!run.includes('-F INPUT')) assert.is(kernel(), was)
    assert.ok(await host.letsIn())
  })
