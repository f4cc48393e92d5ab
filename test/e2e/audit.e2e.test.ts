import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Replay } from '../../src/policy/replay.ts'
import type { Report } from '../../src/policy/report.ts'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { ok } from './looks.ts'

const { test, after } = suite('what left, from the real logs of a deploy', { seconds: 200 })
const checkout = makeCheckout()
const { run } = checkout
after(() => checkout.remove())

const [context, tenant] = ['context.yaml', 'tenants/client-a.yaml'].map(it =>
  join(checkout.directory, 'inventory/sandbox', it),
) as [string, string]
const change = (file: string, from: string, to: string) =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
const eventOf = <T>({ events }: Awaited<ReturnType<typeof run>>, name: string): T | undefined =>
  events.find(it => it.event === name)?.[name] as T | undefined

test('the gates of a deploy are in the report, every line of it is read', async () => {
  ok(await run('deploy.mjs', '--json'))
  const told = await run('report.mjs', '--json')
  ok(told)
  const { sources, tenants } = eventOf<Report>(told, 'report')!
  assert.equal(
    sources.map(it => [it.proxy, it.lines > 0, it.unparsable, it.problem]),
    ['client-a', 'client-b'].map(it => [`proxy-${it}`, true, 0, null]),
  )
  for (const name of ['client-a', 'client-b']) {
    const it = tenants.find(({ tenant }) => tenant === name)!
    const seen = it.destinations.find(one => one.host === 'whatismyip.example' && one.port === 443)
    assert.ok(seen && seen.tunnels > 0 && seen.bytesOut > 0, JSON.stringify(it.destinations))
    assert.ok(
      it.denials.some(one => one.host.endsWith('.egress-probe.invalid') && one.rule === 'not-listed'),
      JSON.stringify(it.denials),
    )
    assert.ok(it.revisions.length > 0)
    // Whose address the log has is known to the cluster.
    assert.ok(it.denials.some(one => one.from !== null))
    assert.not(it.unused.some(one => one.rule === 'allow:whatismyip.example'))
  }
})

test('a check says whom a changed policy would let through, and changes nothing', async () => {
  change(context, 'verify:\n', 'verify:\n  forbidden: http://another-probe.invalid/\n')
  change(tenant, 'allow:\n', 'allow:\n    - { domain: .egress-probe.invalid }\n')
  const checked = await run('deploy.mjs', '--check', '--json')
  ok(checked, 3)
  const flips = (it: Replay | undefined) =>
    it?.flips.map(({ sort, tenant, host }) => `${sort} ${tenant} ${host.replace(/^probe-\w+/, '')}`) ?? []
  const foreseen = flips(eventOf<Replay>(checked, 'replay'))
  assert.equal([...new Set(foreseen)], ['opened client-a .egress-probe.invalid'])
  assert.match(checked.stderr, 'would be let through from now on')
  const replayed = await run('replay.mjs', '--json', '--tenant', 'client-a')
  ok(replayed)
  assert.equal(new Set(flips(eventOf<Replay>(replayed, 'replay'))), new Set(foreseen))
  change(tenant, '    - { domain: .egress-probe.invalid }\n', '')
  const same = await run('deploy.mjs', '--check', '--json')
  ok(same)
  assert.is(eventOf(same, 'replay'), undefined)
})

test('a proxy that does not answer is named, the other one is reported', async () => {
  const stop = await run(
    'sandbox.mjs',
    'exec',
    'proxy-client-b',
    '--',
    'sh',
    '-c',
    'ip link set lo down; nft add table inet cut; nft "add chain inet cut in { type filter hook input priority -300; policy drop; }"',
  )
  assert.is(stop.code, 0, stop.stderr)
  const told = await run('report.mjs', '--json')
  ok(told, 1)
  const { sources, tenants } = eventOf<Report>(told, 'report')!
  assert.match(sources.find(it => it.proxy === 'proxy-client-b')!.problem ?? '', 'unreachable')
  assert.ok(tenants.find(it => it.tenant === 'client-a')!.totals.requests > 0)
  assert.is(told.events.at(-1)!.event, 'summary')
})
