import type { Flip, Replay } from '../policy/replay.ts'
import { placeText, shortTime } from './audit-table.ts'
import { table } from './table.ts'
import { countText, visible } from './visible.ts'

const said = { allowed: 'allowed', denied: 'denied', would_deny: 'would deny' } as const

/** One sentence: what a policy would change for who asks. */
export const replayLine = ({ flips, asked, since, more }: Replay): string => {
  const of = (sort: Flip['sort']) => flips.filter(it => it.sort === sort).reduce((sum, it) => sum + it.requests, 0)
  const parts = [
    [of('cut'), 'would be refused from now on'],
    [of('opened'), 'would be let through from now on'],
    [of('told'), 'would only be told another way'],
  ] as const
  const change = parts.flatMap(([count, what]) => (count > 0 ? [`${countText(count)} ${what}`] : []))
  if (more.keys > 0) change.push(`${countText(more.requests)} more were not kept`)
  return `replay: of ${countText(asked)} requests since ${shortTime(since)}, ${change.join(', ') || 'none would end otherwise'}`
}

/** The same with who asks for what, what would be cut off first. */
export const replayText = (replay: Replay, most = 50): string => {
  const { flips } = replay
  if (flips.length === 0) return replayLine(replay)
  return [
    replayLine(replay),
    '',
    table(
      ['tenant', 'client', 'destination', 'method', 'was', 'would be', 'why', 'requests', 'last seen'],
      flips.slice(0, most).map(rowOf),
    ),
    ...(flips.length > most ? [`and ${countText(flips.length - most)} more: replay.mjs --json lists them`] : []),
  ].join('\n')
}

const rowOf = (it: Flip): string[] => [
  it.tenant,
  it.from ? `${visible(it.client)} ${visible(it.from)}` : visible(it.client),
  placeText(it),
  visible(it.method, 20),
  `${said[it.was.verdict]} (${visible(it.was.rule)})`,
  `${said[it.now.verdict]} (${visible(it.now.rule)})`,
  visible(it.now.why),
  countText(it.requests),
  shortTime(it.lastSeen),
]
