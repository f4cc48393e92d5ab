import * as assert from 'uvu/assert'
import { ufwTask } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { type GuardedHost, guardedHost, seconds } from '../support/guarded-host.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('what a user of a host may call', { seconds: 90 })

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const everybody = '192.0.2.128/25'
const walls = (from = everybody, confirmSeconds = 60): Task =>
  ufwTask({
    ssh: { allow: [from], port: 22 },
    proxy: { from: [from], ports: [3128] },
    outgoing: {
      nameservers: ['10.9.9.9', '203.0.113.53', 'fd00:53::53'],
      inner: ['203.0.113.128/25', '2001:db8:5::/48'],
    },
    confirmSeconds,
  })
let host: GuardedHost
let plain: string

type Call = [address: string, port: number]

/** Side by side: what is not let out is refused within the second try, a second after the first. The links go nowhere. */
const calls = (user: string, to: Call[]): Record<string, 'refused' | 'let out'> => {
  const one = ([address, port]: Call) =>
    `(said=$(timeout 4 setpriv --reuid=${user} --regid=${user} --clear-groups bash -c ': >/dev/tcp/${address}/${port}' 2>&1)
printf '%s\\n' "${address} ${port} $? $(printf %s "$said" | tr '\\n' ' ')") &`
  const answers = host
    .sh(`export LC_ALL=C\n${to.map(one).join('\n')}\nwait`)
    .split('\n')
    .filter(Boolean)
  return Object.fromEntries(
    answers.map(line => {
      const [address, port, code] = line.split(' ')
      if (/Connection refused/.test(line)) return [`${address} ${port}`, 'refused']
      if (code === '0' || code === '124' || /No route to host/.test(line)) return [`${address} ${port}`, 'let out']
      throw new Error(line)
    }),
  )
}
const all = (to: Call[], what: 'refused' | 'let out') => Object.fromEntries(to.map(it => [it.join(' '), what]))
const ruleFiles = () => host.sh('sha256sum /etc/ufw/before.rules /etc/ufw/before6.rules')
const kernel = () => host.sh('iptables -S ufw-before-output; ip6tables -S ufw6-before-output')

before(async () => {
  host = await guardedHost(29, ssh)
  host.sh(`ip link add away type veth peer name nowhere
ip link set nowhere up
ip addr add 198.51.100.2/24 dev away
ip addr add 2001:db8:1::2/64 dev away nodad
ip link set away up
ip route add default dev away
ip -6 route add default dev away`)
  plain = ruleFiles()
})

after(async () => {
  await ssh.close()
  await host?.down()
})

test('the plan names every rule, and a second run has nothing to do', async () => {
  const diff = (await host.differs([walls()]))?.details?.[0]?.diff ?? ''
  assert.match(diff, '+ v4 outgoing REJECT -d 169.254.0.0/16  # kapsule-egress: proxy calls nothing inside')
  assert.match(diff, '+ v6 outgoing REJECT -d fc00::/7  # kapsule-egress: proxy calls nothing inside')
  assert.match(diff, '+ v4 outgoing REJECT -o lo  # kapsule-egress: proxy calls nothing on this host')
  await host.apply([walls()])
  assert.is(await host.differs([walls()]), null)
  host.sh('ufw reload')
  assert.is(await host.differs([walls()]), null)
})

test('every rule in force has a comment', () => {
  const lines = host
    .sh(
      'grep "^### tuple" /etc/ufw/user.rules /etc/ufw/user6.rules; iptables -S ufw-before-output; ip6tables -S ufw6-before-output',
    )
    .split('\n')
    .filter(it => it.includes('tuple') || it.includes('owner'))
  assert.ok(lines.length > 30, `${lines.length}`)
  assert.equal(
    lines.filter(it => !it.includes('comment')),
    [],
  )
})

test('the user is kept from everything inside, and reaches public addresses and its name servers', () => {
  const inside = [
    ...['127.0.0.1', '169.254.169.254', '169.254.42.42', '10.0.0.1', '172.16.28.8', '192.168.1.1', '100.64.0.1'],
    ...['198.18.0.1', '203.0.113.130', '198.51.100.2', host.address.address],
    ...['::1', 'fd00:42::42', '64:ff9b::a00:1', '2002:a00:1::1', '2001:db8:5::1', '2001:db8:1::2'],
  ]
  const not: Call[] = [...inside.map((it): Call => [it, 443]), ['10.9.9.9', 443], ['10.9.9.8', 53]]
  const may: Call[] = [
    ['203.0.113.10', 443],
    ['2001:db8:7::1', 443],
    ['10.9.9.9', 53],
    ['203.0.113.53', 53],
    ['fd00:53::53', 53],
  ]
  assert.equal(sorted(calls('proxy', [...not, ...may])), sorted({ ...all(not, 'refused'), ...all(may, 'let out') }))
})

test('root reaches all of it', () => {
  const to: Call[] = ['169.254.169.254', '10.0.0.1', 'fd00:42::42'].map(it => [it, 443])
  assert.equal(sorted(calls('root', to)), sorted(all(to, 'let out')))
})

const sorted = (it: Record<string, string>) => Object.entries(it).sort()

for (const { what, run, told } of [
  {
    what: 'a rule gone from the kernel',
    run: 'iptables -D ufw-before-output 3',
    told: '! v4 outgoing ACCEPT -d 10.9.9.9/32 -p tcp --dport 53  # kapsule-egress: proxy asks our name server: not in force in the kernel',
  },
  {
    what: 'a rule before ours in the kernel',
    run: 'ip6tables -I ufw6-before-output 1 -j ACCEPT',
    told: '! v6: the kernel has our outgoing rules in other places',
  },
  {
    what: 'a rule gone from the file',
    run: "sed -i '/-d 10.0.0.0/d' /etc/ufw/before.rules",
    told: '+ v4 outgoing REJECT -d 10.0.0.0/8  # kapsule-egress: proxy calls nothing inside',
  },
  {
    what: 'a rule of the file for another user',
    run: "sed -i '/-d 10.0.0.0/s/owner proxy/owner games/' /etc/ufw/before.rules",
    told: '+ v4 outgoing REJECT -d 10.0.0.0/8  # kapsule-egress: proxy calls nothing inside',
  },
  {
    what: 'a rule before ours in the file',
    run: "sed -i 's/^# End required lines/-A ufw-before-output -j ACCEPT\\n&/' /etc/ufw/before.rules",
    told: '! v4: our outgoing rules are not the first, in their order',
  },
])
  test(`${what} is named, and mended`, async () => {
    const [file, inForce] = [ruleFiles(), kernel()]
    host.sh(run)
    const diff = (await host.differs([walls()]))?.details?.[0]?.diff ?? ''
    assert.ok(diff.includes(told), diff)
    await host.apply([walls()])
    assert.is(await host.differs([walls()]), null)
    assert.is(kernel().includes('10.0.0.0/8'), true)
    if (!run.includes('End required')) assert.is(ruleFiles() + kernel(), file + inForce)
    host.sh("sed -i '/^-A ufw-before-output -j ACCEPT$/d' /etc/ufw/before.rules; ufw reload")
  })

test('without a new login all of it is taken back, files and kernel', async () => {
  await host.apply([ufwTask({ ssh: { allow: [everybody], port: 22 }, proxy: { from: [], ports: [] } })])
  assert.is(ruleFiles(), plain)
  const was = kernel()
  const thrown = await host.refuses([walls('203.0.113.99/32', seconds)])
  assert.match(JSON.stringify(thrown), 'took it back')
  assert.is(ruleFiles() + kernel(), plain + was)
  assert.ok(await host.letsIn())
})

test('a rule that iptables does not read changes nothing', async () => {
  const bad = walls() as Extract<Task, { task: 'ufw' }>
  await host.refuses([{ ...bad, outgoing: { ...bad.outgoing!, user: 'nobody-there' } }])
  assert.is(ruleFiles(), plain)
})
