import * as assert from 'uvu/assert'
import { startPartner } from '../../rollout/allowlist/partner.ts'
import { startFleet } from './fleet.ts'
import { PARTNER, PROXIES } from './inventory.ts'
import { cutsAt } from './shares.ts'
import { measured, type Range, type Trial } from './trial.ts'

const THEIRS = '192.0.2.0/24'
const sizes = {
  small: { workloads: 2, batches: ['100%'], interval: '5ms', count: 1, maxUnverified: 2 },
  whole: { workloads: 6, batches: ['40%', '100%'], interval: '5ms', count: 1, maxUnverified: 4 },
}

/**
 * Two tenants with workloads and a proxy each, and one partner that lets in who is on its list. `close`
 * throws where a pod was ever outside, or the list lost what others had on it.
 */
export const openEstate = async (size: keyof typeof sizes): Promise<Range & { close(): Promise<void> }> => {
  const partner = await startPartner([THEIRS, ...PARTNER.old])
  const tenants = PROXIES.map(it => it.name.replace('proxy-', ''))
  const letsIn = (address: string) => partner.now().includes(`${address}/32`)
  const fleet = await startFleet({ ...sizes[size], tenants, partner: partner.ref.url }, { letsIn })
  fleet.letIn = partner.now
  const wrong = new Set<string>()
  partner.watch(() => {
    const now = partner.now()
    if (!now.includes(THEIRS)) wrong.add(`what others let in is gone: ${now}`)
    for (const { name, namespace, containers } of fleet.running()) {
      if (name.startsWith('egress-')) continue
      const proxy = containers[0]?.env.http_proxy
      const ours = PROXIES.find(it => proxy?.includes(`${it.privateIp}:`))?.publicIp
      const needed = ours ? [`${ours}/32`] : PARTNER.old
      if (!needed.every(it => now.includes(it))) wrong.add(`${namespace}/${name} is outside: ${now}`)
    }
  })
  const range = await measured(fleet, sizes[size].maxUnverified)
  const ours = PROXIES.map(it => `${it.publicIp}/32`)
  assert.equal(range.moved.filter(it => !it.startsWith('{')), [THEIRS, ...ours].sort()) // biome-ignore format: one line
  return {
    ...range,
    async close() {
      await fleet.close()
      await partner.close()
      assert.equal([...wrong], [])
    },
  }
}

/** After each call about the list, each line of the phase that shrinks it, and some of the others. */
export const estateCuts = ({ there, back }: Range): Trial[] => {
  const from = there.sorts.lines.indexOf('started false allowlist-removal')
  const home = [...cutsAt('lists', back), ...cutsAt('lines', back), ...cutsAt('writes', back)]
  const lists = cutsAt('lists', there)
  const lines = cutsAt('lines', there).filter((_, at) => at >= from - 10 || at % 5 === 0)
  return [
    ...[...lists, ...lines].map((cut, at) => ({ there: cut, resumed: true, back: home[at % home.length]! })),
    ...lists.map(cut => ({ there: cut, resumed: false })),
  ]
}
