import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { listRevisions, revisionTo } from '../../src/hosts/revisions.ts'
import { squidTasks } from '../../src/hosts/squid.ts'
import { reloadSquid } from '../../src/hosts/squid-shell.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { policyTask } from '../../src/hosts/tasks/policy.ts'
import type { Policy, Rule } from '../../src/policy/policy.ts'
import { policyText } from '../../src/policy/policy-file.ts'
import { quiet } from '../support/plays.ts'
import { makeProxyLab, type ProxyLab } from '../support/proxy-lab.ts'
import { loadProxy } from '../support/proxy-load.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const { test, before, after } = suite('policies in force on a real Squid', { seconds: 120 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
let lab: ProxyLab
const proxy = { host: '', port: 3128 }

const allow = (name: string): Rule => ({
  ...{ id: `allow:${name}`, effect: 'allow', name, connect: [443], http: [80] },
  ...{ methods: null, expires: null, comment: null, requestedBy: null },
})
const policyOf = (...names: string[]): Policy => ({ tenant: 'client-a', mode: 'enforce', rules: names.map(allow) })
const tasksFor = (policy: Policy) => {
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: [{ name: 'client-a', port: 3128, clients: ['192.0.2.128/25'], policy }],
    inner: ['192.0.2.128/25'],
    nameservers: ['127.0.0.1'],
  })
  return { host: lab.host.address, tasks, handlers }
}
const install = async (policy: Policy, only = false) => {
  const want = tasksFor(policy)
  const play = only ? { ...want, tasks: want.tasks.filter(it => it.task === 'policy') } : want
  const seen = (await hostPlay.read(play, { ssh }, quiet))!
  const now = await hostPlay.apply(play, { ssh }, seen, quiet)
  assert.is(hostPlay.diff(play, now), null)
}
const revision = () => lab.host.sh('readlink /etc/squid/egress/client-a.policy').trim()
/** What a change does on the host, without the way there. */
const step = (body: string) => `${alone(`( ${body}\n)`)}\nsh "$KE_LATER"; rm "$KE_LATER"`
const alone = (body: string) =>
  `set -e; put_in_place() { mv -fT -- "$1" "$2"; }; keep_backup() { :; }; has_line() { false; }; nap() { sleep 0.02; }; stirs() { :; }
KE_STOPPED=/none KE_SURE=/none KE_LATER=$(mktemp)
${body}`

before(async () => {
  lab = await makeProxyLab(30, { origins: ['203.0.113.10'], names: { '.ok.test': ['203.0.113.10'] } })
  proxy.host = lab.host.address.address
  await install(policyOf('.ok.test'))
})
after(async () => {
  await ssh.close()
  await lab?.down()
})

test('policies change under load: nothing refused, no tunnel lost', async () => {
  const stop = new AbortController()
  const loading = loadProxy(proxy, {
    clients: 30,
    url: 'http://a.ok.test/',
    target: 'a.ok.test:443',
    signal: stop.signal,
  })
  const pid = lab.host.sh('cat /run/squid.pid')
  const changes = 20
  for (let n = 0; n < changes; n++) {
    const text = policyText(policyOf('.ok.test', `n${n}.test`))
    lab.host.sh(step(policyTask.change({ task: 'policy', tenant: 'client-a', text }, policyTask.parse(''))))
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  stop.abort()
  const load = await loading
  assert.equal(load.failed, [])
  assert.equal(load.dropped, [])
  assert.ok(load.requests > 200, `${load.requests} requests`)
  assert.is(load.tunnels, 30)
  assert.is(lab.host.sh('cat /run/squid.pid'), pid)
  assert.match(revision(), new RegExp(`^client-a/${changes + 1}-`))
  assert.is(lab.host.sh('ls /etc/squid/egress/client-a | wc -l').trim(), '20', 'the newest twenty stay')
})

test('a changed structure closes the port for a moment, and nobody is refused', async () => {
  const stop = new AbortController()
  const loading = loadProxy(proxy, {
    clients: 30,
    url: 'http://a.ok.test/',
    target: 'a.ok.test:443',
    signal: stop.signal,
  })
  const reconfigured = () => Number(lab.host.sh('grep -c Reconfiguring /var/log/squid/cache.log || :'))
  const was = reconfigured()
  for (let n = 0; n < 3; n++) {
    lab.host.sh(step(reloadSquid()))
    await new Promise(resolve => setTimeout(resolve, 300))
  }
  stop.abort()
  const load = await loading
  assert.equal(load.failed, [])
  assert.equal(load.dropped, [])
  assert.is(reconfigured() - was, 3)
  assert.not.match(lab.host.sh('nft list tables'), /kapsule_egress_hold/)
})

test('a hold ends by itself when who took it is killed', async () => {
  const begin = alone(reloadSquid()).replace('kill -HUP', () => 'kill -9 $$; kill -HUP')
  assert.throws(() => lab.host.sh(begin))
  assert.match(lab.host.sh('nft list tables'), /kapsule_egress_hold/)
  const free = () => !/3128/.test(lab.host.sh('nft list set inet kapsule_egress_hold ports | grep elements || :'))
  assert.is(free(), false)
  assert.ok(await until(free, 30))
  lab.host.sh('nft delete table inet kapsule_egress_hold')
})

test('an earlier revision is one step away, and its undo is another', async () => {
  const all = await listRevisions(ssh, lab.host.address, quiet.signal)
  const [first, current] = [revisionTo(all, 'previous')!, all.find(it => it.current)!]
  assert.is(current.inForce, true)
  assert.is(first.rules, 2)
  const play = {
    host: lab.host.address,
    tasks: [{ task: 'revision' as const, tenant: 'client-a', to: first.revision }],
    handlers: {},
  }
  const before = (await hostPlay.read(play, { ssh }, quiet))!
  assert.is(hostPlay.diff(play, before)?.details?.[0]?.diff, `${current.revision} -> ${first.revision}`)
  const now = await hostPlay.apply(play, { ssh }, before, quiet)
  assert.is((await listRevisions(ssh, lab.host.address, quiet.signal)).find(it => it.inForce)?.revision, first.revision)
  await hostPlay.undo!(play, { ssh }, before, now, quiet)
  assert.is(
    (await listRevisions(ssh, lab.host.address, quiet.signal)).find(it => it.inForce)?.revision,
    current.revision,
  )
})

test('a link that was lost or leads nowhere comes back with it, and no revision goes', async () => {
  const there = () =>
    lab.host.sh('readlink /etc/squid/egress/client-a.policy || echo none; ls /etc/squid/egress/client-a')
  lab.host.sh('cd /etc/squid/egress/client-a && ls | sort -n | head -n 3 | xargs rm')
  const was = there()
  const current = revision()
  const { host, tasks } = tasksFor(policyOf('.ok.test', 'lost.test'))
  const play = { host, tasks: tasks.filter(it => it.task === 'policy'), handlers: {} }
  for (const damage of ['ln -sfn client-a/99-00000000.policy', 'rm -f']) {
    lab.host.sh(`${damage} /etc/squid/egress/client-a.policy`)
    const broken = there()
    const seen = (await hostPlay.read(play, { ssh }, quiet))!
    const now = await hostPlay.apply(play, { ssh }, seen, quiet)
    assert.is(hostPlay.diff(play, now), null)
    await hostPlay.undo!(play, { ssh }, seen, now, quiet)
    assert.is(there(), broken)
  }
  lab.host.sh(`ln -sfn ${current} /etc/squid/egress/client-a.policy`)
  assert.is(there(), was)
})

test('a policy that is no policy never gets the link', async () => {
  const was = revision()
  const text = policyText(policyOf('.ok.test')).replace('end\t1', 'end\t2')
  const task = { task: 'policy' as const, tenant: 'client-a', text }
  assert.throws(() => lab.host.sh(step(policyTask.change(task, policyTask.parse('')))))
  assert.is(revision(), was)
})

test('a full disk leaves no half of a policy', () => {
  const dir = '/etc/squid/egress/client-a'
  const names = Array.from({ length: 2000 }, (_, n) => `n${n}.full.test`)
  const task = { task: 'policy' as const, tenant: 'client-a', text: policyText(policyOf(...names)) }
  lab.host.sh(`mkdir /run/copy; cp -a /etc/squid/egress/${revision()} /run/copy
mount -t tmpfs -o size=32k,mode=755 tmpfs ${dir}; cp -a /run/copy/. ${dir}`)
  try {
    const seen = policyTask.parse(lab.host.sh(policyTask.look(task)), task)
    const was = lab.host.sh(`ls -A ${dir}; readlink ${dir}.policy`)
    assert.throws(() => lab.host.sh(step(policyTask.change(task, seen))), /No space left/)
    assert.match(lab.host.sh(`stat -c %a ${dir}/.[0-9]*.new`), /^600/)
    lab.host.sh(step(policyTask.restore!(task, seen)))
    assert.is(lab.host.sh(`ls -A ${dir}; readlink ${dir}.policy`), was)
  } finally {
    lab.host.sh(`umount ${dir}`)
  }
})

test('a killed helper comes back and knows the policy', async () => {
  const pid = lab.host.sh('pgrep -o -f policy-helper || pidof -x policy-helper').trim()
  lab.host.sh(`kill -9 ${pid}`)
  const stop = new AbortController()
  const loading = loadProxy(proxy, {
    clients: 2,
    url: 'http://b.ok.test/',
    target: 'b.ok.test:443',
    signal: stop.signal,
  })
  setTimeout(() => stop.abort(), 500)
  assert.equal((await loading).failed, [])
  assert.match(lab.host.sh('tail -n 30 /var/log/squid/cache.log'), /client-a: revision \d+-[0-9a-f]{8} is in force/)
})
