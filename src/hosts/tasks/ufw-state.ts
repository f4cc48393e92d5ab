import { type Foreign, lookChains, opening, parseChains } from './ufw-chains.ts'
import { misplaced } from './ufw-order.ts'
import { lookOutgoing, type OutgoingSeen, outgoingDrift } from './ufw-outgoing.ts'
import { commentOf, keysOf, ours, parseKernel, parseTuple, type SeenRule } from './ufw-rules.ts'
import type { UfwTask } from './ufw-task.ts'

export type UfwState = {
  installed: boolean
  enabled: boolean
  ipv6: boolean
  logging: string
  defaults: { incoming: string; outgoing: string; routed: string }
  /** What ufw believes (its tuples), ours and others', as far as we can read them. */
  rules: SeenRule[]
  /** Rules in a form we do not read: left alone, and reported. */
  others: string[]
  /** All lines of ufw's files that say a rule, in their order. */
  tuples: { v4: string[]; v6: string[] }
  outgoing: OutgoingSeen
  /** Where the kernel has something else than ufw believes. */
  kernelDrift: string[]
  /** Rules of others in the kernel's built-in chains, and jumps of ufw's that are not there. */
  foreign: Foreign[]
  unhooked: { v4: string[]; v6: string[] }
  /** A change that nobody confirmed yet. */
  armed: boolean
}

export const policies = ['incoming', 'outgoing', 'routed'] as const

/**
 * Reads the files ufw's own `show added` reads, and the kernel: a rule can be in one and not in the other.
 * @see ufw(8), and ufw-framework(8) for the chains
 */
export const lookUfw = ({ outgoing }: UfwTask) => `if command -v ufw >/dev/null; then echo installed yes; fi
if [ -e "$KE_STATE/guard/armed" ]; then echo armed yes; fi
sed -n 's/^ENABLED=/enabled /p; s/^LOGLEVEL=/logging /p' /etc/ufw/ufw.conf 2>/dev/null
sed -n 's/^IPV6=/ipv6 /p; s/^DEFAULT_\\(INPUT\\|OUTPUT\\|FORWARD\\)_POLICY="\\?\\([A-Z]*\\).*/\\1 \\2/p' /etc/default/ufw 2>/dev/null
sed -n 's/^### tuple ###/t4 &/p' /etc/ufw/user.rules 2>/dev/null
sed -n 's/^### tuple ###/t6 &/p' /etc/ufw/user6.rules 2>/dev/null
${lookOutgoing(outgoing?.user)}
${lookChains}
:`

export const parseUfw = (output: string): UfwState => {
  const lines = output
    .split('\n')
    .map(line => ({ tag: line.split(' ', 1)[0]!, rest: line.slice(line.indexOf(' ') + 1) }))
  const all = (tag: string) => lines.filter(it => it.tag === tag).map(it => it.rest)
  const is = (tag: string) => all(tag)[0]?.toLowerCase() === 'yes'
  const [enabled, ipv6] = [is('enabled'), is('ipv6')]
  const words: Record<string, string> = { ACCEPT: 'allow', DROP: 'deny', REJECT: 'reject' }
  const policy = (tag: string) => words[all(tag)[0] ?? ''] ?? ''
  const tuples = (n: string) => all(`t${n}`).map(line => line.replace('### tuple ### ', ''))
  const rules: SeenRule[] = []
  const others: string[] = []
  const kernelDrift: string[] = []
  const foreign: Foreign[] = []
  const unhooked: UfwState['unhooked'] = { v4: [], v6: [] }
  const families = [
    ['v4', '4'],
    ['v6', '6'],
  ] as const
  for (const [family, n] of families) {
    const believed = new Set<string>()
    for (const line of all(`t${n}`)) {
      const seen = parseTuple(family, line)
      if (!seen) others.push(line.replace('### tuple ### ', ''))
      for (const it of seen ?? []) believed.add(it.key)
      rules.push(...(seen ?? []))
    }
    const chains = parseChains(family, all(`f${n}`), all('a'))
    foreign.push(...chains.foreign)
    if (!enabled || (n === '6' && !ipv6)) continue
    unhooked[family] = chains.missing
    if (chains.bare) kernelDrift.push(`${family}: ufw's chains are not in force`)
    else kernelDrift.push(...chains.missing.map(it => `${family} ${it}: not in force in the kernel`))
    kernelDrift.push(...chains.emptied.map(it => `${family} ${it}: in the kernel only`))
    for (const [chain, way] of [
      ['INPUT', 'incoming'],
      ['OUTPUT', 'outgoing'],
      ['FORWARD', 'routed'],
    ] as const) {
      const there = chains.policies[chain]
      // Container engines close what is routed by themselves.
      if (chain === 'FORWARD' && there === 'DROP') continue
      if (there !== (policy(chain) === 'allow' ? 'ACCEPT' : 'DROP'))
        kernelDrift.push(`${family}: the kernel's default for ${way} is ${there ?? 'unknown'}`)
    }
    const inForce = all(`k${n}`).map(line => parseKernel(family, line))
    for (const key of believed) if (!inForce.includes(key)) kernelDrift.push(`${key}: not in force in the kernel`)
    for (const key of inForce) if (key && !believed.has(key)) kernelDrift.push(`${key}: in the kernel only`)
  }
  return {
    installed: is('installed'),
    enabled,
    ipv6,
    logging: all('logging')[0] ?? '',
    defaults: { incoming: policy('INPUT'), outgoing: policy('OUTPUT'), routed: policy('FORWARD') },
    rules,
    others,
    tuples: { v4: tuples('4'), v6: tuples('6') },
    outgoing: { v4: { file: all('o4'), kernel: all('q4') }, v6: { file: all('o6'), kernel: all('q6') } },
    kernelDrift,
    ...{ foreign, unhooked },
    armed: is('armed'),
  }
}

/** Everything between what is wanted and what is there, a line each. */
export const drift = (task: UfwTask, state: UfwState): string[] => {
  const lines: string[] = []
  const wanted = new Map(
    task.rules.flatMap(rule => keysOf(rule, state.ipv6).map(key => [key, commentOf(rule)] as const)),
  )
  for (const [key, comment] of wanted) {
    const seen = state.rules.find(it => it.key === key)
    if (!seen) lines.push(`+ ${key}  # ${comment}`)
    else if (seen.comment !== comment) lines.push(`~ ${key}  # ${seen.comment || 'no comment'} -> ${comment}`)
  }
  for (const { key, comment } of state.rules)
    if (comment.startsWith(ours) && !wanted.has(key)) lines.push(`- ${key}  # ${comment}`)
  for (const it of policies)
    if (task.defaults[it] !== state.defaults[it])
      lines.push(`default ${it}: ${state.defaults[it] || 'unknown'} -> ${task.defaults[it]}`)
  if (task.logging && task.logging !== state.logging)
    lines.push(`logging: ${state.logging || 'unknown'} -> ${task.logging}`)
  lines.push(
    ...misplaced(task, state).map(it => `! ${it}: our rules are in another order, and the first that matches counts`),
  )
  lines.push(...outgoingDrift(task.outgoing, state.outgoing, state.enabled))
  if (!state.enabled) lines.push('enabled: no -> yes')
  lines.push(...state.kernelDrift.map(it => `! ${it}`))
  lines.push(...opening(task, state).map(it => `! ${it.family} ${it.rule}: not ufw's, and lets traffic past it`))
  if (state.armed) lines.push('! an earlier change was not confirmed and is being taken back')
  if (lines.length) lines.push(...left(task, state))
  return lines
}

/** What somebody else put there stays, and is told whenever there is something to tell. */
const left = (task: UfwTask, { rules, others, foreign }: UfwState): string[] => [
  ...rules
    .filter(it => !it.comment.startsWith(ours))
    .map(it => `= ${it.key}  # not ours, left${it.comment && `: ${it.comment}`}`),
  ...others.map(it => `= ${it}  # not ours, left`),
  ...foreign
    .filter(it => !opening(task, { foreign }).includes(it))
    .map(it => `= ${it.family} ${it.rule}  # not ufw's, left`),
]
