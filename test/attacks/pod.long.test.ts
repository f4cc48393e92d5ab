import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { ok, type Summary, summaryOf } from '../e2e/looks.ts'
import { makeCheckout } from '../support/checkout.ts'
import { type Inside, startInside } from '../support/lab/inside.ts'
import { at } from '../support/lab/lab.ts'
import type { Visit } from '../support/lab/sink.ts'
import { seenBy } from '../support/lab/watch.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { attackSet } from './all.ts'
import { attacks, both, connect, resolving } from './attack.ts'
import { honestOf, judgeAnswer, parseLines, verdictsOf } from './judge.ts'
import { type Sent, sendAll, zoneOf } from './send.ts'

const { test, before, after } = suite('the attack set, from a pod of the sandbox', { seconds: 380 })
const checkout = makeCheckout()
const { run } = checkout
const proxy = '172.16.28.8'
const elsewhere = `kea-${process.pid % 100000}-pod`
const stops: (() => unknown)[] = [() => checkout.remove()]
after(async () => {
  for (const stop of stops.reverse()) await stop()
})

const inventory = join(checkout.directory, 'inventory/sandbox')
const allow = [
  ...['.allowed.test', 'exact.test', 'xn--bcher-kva.test', '.tricks.test'].map(it => `{ domain: ${it} }`),
  '{ domain: ports.test, ports: [8080, 8443] }',
  '{ domain: tunnel.test, protocols: [connect] }',
  '{ domain: read.test, methods: [GET, HEAD] }',
  '{ domain: over.test, expires: 2020-01-01 }',
  `{ address: ${at.address} }`,
]

/** The same tenant as in the lab, in the words of the inventory; and the name server that plays tricks. */
const writeInventory = () => {
  rmSync(join(inventory, 'tenants/client-b.yaml'))
  const file = join(inventory, 'tenants/client-a.yaml')
  const text = readFileSync(file, 'utf8')
  const lines = allow.map(it => `    - ${it}\n`).join('')
  writeFileSync(
    file,
    text
      .replace('    - { domain: .github.com }\n', it => it + lines)
      .replace('  mode: enforce\n', '  mode: enforce\n  deny: [{ domain: .secret.allowed.test }]\n'),
  )
}
const takeNameServer = () => {
  const file = join(inventory, 'context.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8')}dns: { nameservers: [${at.dns}] }\n`)
}

let fixed: string
let set: typeof attackSet
let sent: Sent[]
let log: ReturnType<typeof parseLines>
let seen: string[]
let visits: Visit[]

type Host = { name: string; netns: string; kind: string; addresses: string[] }
const hosts = async (): Promise<Host[]> => JSON.parse((await run('sandbox.mjs', 'status', '--json')).stdout).hosts
const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] })
const nft = (netns: string, text: string) => ip('netns', 'exec', netns, 'nft', text)
const logged = async () => {
  const it = await checkout.start('sandbox.mjs', ['exec', 'proxy-client-a', '--', 'cat', '/var/log/squid/audit.log'])
  assert.is(it.exitCode, 0, it.stderr)
  return it.stdout.split('\n').filter(Boolean)
}

/** Behind the sandbox's internet stands all the rest of it, as in the lab: every address answers, and writes down what it reads. */
const standElsewhere = async (internet: string) => {
  ip('netns', 'add', elsewhere)
  stops.push(() => ip('netns', 'del', elsewhere))
  ip('link', 'add', 'eth0', 'netns', elsewhere, 'type', 'veth', 'peer', 'name', 'kea-else', 'netns', internet)
  for (const it of [
    `-n ${elsewhere} link set lo up`,
    `-n ${elsewhere} addr add 192.31.196.1/30 dev eth0`,
    `-n ${elsewhere} link set eth0 up`,
    `-n ${internet} addr add 192.31.196.2/30 dev kea-else`,
    `-n ${internet} link set kea-else up`,
    `-n ${internet} route add default via 192.31.196.1`,
    `-n ${elsewhere} route add ${fixed}/32 via 192.31.196.2`,
    `-n ${elsewhere} route add local default dev lo table main`,
  ])
    ip(...it.split(' '))
  // The sandbox's internet passes on nothing but what is its own.
  for (const it of ['iifname', 'oifname']) nft(internet, `insert rule ip groups forward ${it} kea-else accept`)
}

/** Every destination of Squid's own user, wherever it leads. */
const watch = (netns: string) => {
  nft(netns, 'add table inet watch')
  nft(netns, 'add chain inet watch it { type filter hook output priority -300; }')
  for (const [n, family] of [
    ['4', 'ip'],
    ['6', 'ip6'],
  ] as const) {
    const set = `type ipv${n}_addr . inet_proto . inet_service; flags dynamic; size 65535;`
    nft(netns, `add set inet watch seen${n} { ${set} }`)
    for (const [proto, it] of [
      ['tcp', 'tcp flags & (syn | ack) == syn'],
      ['udp', 'meta l4proto udp'],
    ])
      nft(
        netns,
        `add rule inet watch it meta skuid proxy ${it} add @seen${n} { ${family} daddr . meta l4proto . ${proto} dport }`,
      )
  }
}

before(async () => {
  writeInventory()
  const made = await run('deploy.mjs', '--json')
  ok(made)
  const { proxies } = summaryOf(made).outputs as Summary['outputs']
  fixed = proxies['proxy-client-a']!.public_ip
  takeNameServer()
  ok(await run('40-configure.mjs', '--json'))
  const all = await hosts()
  const internet = all.find(it => it.kind === 'internet')!
  const machine = all.find(it => it.name === 'proxy-client-a')!
  const pod = all.find(it => it.name.startsWith('client-a-demo/curl-demo'))!
  assert.ok(!internet.addresses[0]!.startsWith('203.0.113.'), 'the addresses of the attack set are in use: try again')
  await standElsewhere(internet.netns)
  // What only the lab has: strangers, IPv6, and the addresses of its proxy.
  const lab = new RegExp(`${at.proxyOutside.replaceAll('.', '\\.')}|${at.proxyOutside6}`)
  const six = ({ zone = {}, expect }: (typeof attackSet)[number]) =>
    expect === 'allowed' && Object.values(zone).some(it => it.aaaa && !it.a)
  set = [
    ...attackSet.filter(it => !it.stranger && !six(it) && !lab.test(JSON.stringify([it.raw, it.zone]))),
    ...attacks(
      'this proxy itself',
      [proxy, fixed].flatMap(it => [
        ...both(it, 'its own address'),
        connect(`${it}:22`, 'its sshd'),
        connect(`${it}:3128`, 'its port'),
      ]),
      ...[proxy, fixed].map((it, n) => resolving(`itself-${n}`, { a: [it] }, 'a listed name for its own address')),
    ),
  ]
  const inside = async (...[netns, program, ...args]: Parameters<typeof startInside>): Promise<Inside> => {
    const it = await startInside(netns, program, ...args)
    stops.push(it.stop)
    return it
  }
  const settings = { address: at.dns, zone: zoneOf(set), otherwise: { a: [at.elsewhere] } }
  await inside(elsewhere, 'name-server.ts', JSON.stringify(settings))
  const sink = await inside(elsewhere, 'sink.ts', '21,25,80,443,2379,3129,6443,8080,8443,10250')
  const traps = await inside(machine.netns, 'sink.ts', '80,443,2379,6443,8080,8443,10250')
  watch(machine.netns)
  const already = (await logged()).length
  const from = { from: pod.addresses[0]!, to: proxy, sideBySide: 16 }
  sent = await sendAll({ startClient: () => inside(pod.netns, 'client.ts') }, set, from)
  const count = sent.reduce((sum, it) => sum + verdictsOf(it).length, 0)
  let lines: string[] = []
  await until(async () => {
    lines = (await logged()).slice(already)
    return lines.length >= count
  }, 60)
  log = parseLines(lines)
  visits = [...(await sink.ask<Visit[]>('report')), ...(await traps.ask<Visit[]>('report'))]
  seen = seenBy(machine.netns)
})

test('every answer is right, said with raw sockets from where the pod is', () => {
  assert.ok(set.length >= 800, `${set.length}`)
  assert.equal(
    sent.map(judgeAnswer).filter(it => it !== null),
    [],
  )
})

test('the log has a line for each, with its verdict', () => {
  assert.equal(log.bad, [])
  const count = (all: (string | null)[]) =>
    all
      .toSorted()
      .join(' ')
      .replace(/(\w+)( \1)*/g, (it, word) => `${word} x${it.split(' ').length}`)
  assert.is(count(log.good.map(it => it.verdict)), count(sent.flatMap(verdictsOf)))
})

test('nothing left Squid but for honest servers, and no listener read a byte of a refused request', () => {
  const honest = honestOf(sent).add(`${at.dns} udp 53`).add(`${at.dns} tcp 53`)
  assert.ok(honest.size > 20)
  assert.equal(
    seen.filter(it => !honest.has(it)),
    [],
  )
  const marks = visits.flatMap(it => [...it.text.matchAll(/(case|refused)-(\d+)-/g)])
  assert.ok(marks.length > 100)
  const wrong = marks.filter(([, word, n]) => word === 'refused' || !verdictsOf(sent[Number(n)]!).includes('allowed'))
  assert.equal([...new Set(wrong.map(([mark, , n]) => `${mark} ${sent[Number(n)]!.destination}`))], [])
  assert.equal(new Set(visits.filter(it => it.bytes > 0).map(it => it.from)), new Set([fixed]))
})
