import { Problem } from '../../engine/problem.ts'
import { type Line, parseLine, saidOf } from './ufw-lines.ts'
import type { UfwTask } from './ufw-task.ts'

type Family = 'v4' | 'v6'
/** A rule of somebody else in a built-in chain, and the matches of every way on which it accepts. */
export type Foreign = {
  family: Family
  rule: string
  /** What comes before this rule has been through ufw's own rules. */
  behind: boolean
  accepts: string[][]
}
export type ChainsSeen = {
  missing: string[]
  foreign: Foreign[]
  /** Rules of ufw's chains that let everything through, and that its files do not have. */
  emptied: string[]
  /** Not one jump is there. */
  bare: boolean
  policies: Record<string, string>
}

const ways = ['input', 'output', 'forward'] as const
const stages = ['before-logging', 'before', 'after', 'after-logging', 'reject', 'track'] as const
const prefix = (family: Family) => (family === 'v4' ? 'ufw' : 'ufw6')
const jumpsOf = (family: Family, way: string) =>
  stages.map(it => `-A ${way.toUpperCase()} -j ${prefix(family)}-${it}-${way}`)

/**
 * For the look of a task, after that of what goes out, which leaves users' names in `$named`: `k4` and `k6` are
 * ufw's rules for clients, `f4` and `f6` those of others and policies, with ufw's own jumps and what it lets through whole.
 */
export const lookChains = `sed -n 's/^-A ufw6*-[a-z-]* -j ACCEPT$/a &/p' /etc/ufw/*.rules 2>/dev/null
for it in 4 6; do
  case $it in 4) iptables -S ;; 6) ip6tables -S ;; esac 2>/dev/null | sed -n "$named
t named
:named
/^-N /d
s/^-A ufw6*-[a-z-]* -j ACCEPT$/f$it &/p
s/^-A ufw6*-before-[a-z]* -j ufw6*-user-[a-z]*$/f$it &/p
s/^-A ufw6*-user-input /k$it &/p
/^-A ufw/d
/^-/s/^/f$it /p"
done`

/** What stands in the built-in chains of one family; `inFiles`: what ufw's own files say without a match. */
export const parseChains = (family: Family, lines: string[], inFiles: string[]): ChainsSeen => {
  const chains = Map.groupBy(lines.filter(it => it.startsWith('-A ')).map(parseLine), it => it.chain)
  const rules = new Set(lines)
  const missing = ways.flatMap(way => [
    ...jumpsOf(family, way).filter(it => !rules.has(it)),
    ...[`-A ${prefix(family)}-before-${way} -j ${prefix(family)}-user-${way}`].filter(it => !rules.has(it)),
  ])
  const emptied = lines.filter(
    it =>
      new RegExp(`^-A ${prefix(family)}-(${stages.join('|')}|user)-[a-z]+ -j ACCEPT$`).test(it) &&
      !inFiles.includes(it),
  )
  const foreign = ways.flatMap(way => {
    const jumps = jumpsOf(family, way)
    const all = chains.get(way.toUpperCase()) ?? []
    const before = all.findIndex(it => it.text === jumps[1])
    return all.flatMap((it, n) =>
      jumps.includes(it.text)
        ? []
        : [{ family, rule: it.text, behind: before >= 0 && n > before, accepts: accepts(it, chains, []) }],
    )
  })
  const policies = Object.fromEntries(
    lines.filter(it => it.startsWith('-P ')).map(it => it.split(' ').slice(1) as [string, string]),
  )
  const bare = !ways.some(way => jumpsOf(family, way).some(it => rules.has(it)))
  return { missing, foreign, emptied, bare, policies }
}

/** Each way to an ACCEPT by its matches, through chains of others. What we cannot follow may accept. */
const accepts = (line: Line, chains: Map<string, Line[]>, above: string[]): string[][] => {
  const matches = [...above, line.match]
  if (line.target === 'ACCEPT' || /^NFQUEUE$|^QUEUE$|^ufw/.test(line.target)) return [matches]
  if (matches.length > 16) return [matches]
  const found: string[][] = []
  for (const it of chains.get(line.target) ?? []) {
    found.push(...accepts(it, chains, matches))
    if (it.match === '' && /^(ACCEPT|DROP|REJECT|RETURN)$/.test(it.target)) break
  }
  return found
}

/** Those that take a decision from our rules: into a port of ours, out for the user who is kept in, or all that is routed. */
export const opening = (task: UfwTask, { foreign }: { foreign: Foreign[] }): Foreign[] =>
  foreign.filter(({ rule, behind, accepts }) => {
    if (rule.startsWith('-A FORWARD ')) return /^-A FORWARD -j ACCEPT$/.test(rule)
    if (rule.startsWith('-A INPUT '))
      return (!behind || task.defaults.incoming !== 'allow') && accepts.some(it => intoOurs(task, it))
    return (!behind || task.defaults.outgoing !== 'allow') && accepts.some(it => outOfUser(task, it))
  })

/** Never a new connection to a service, or from one. */
const harmless = (match: string) =>
  /^(icmp|icmpv6|ipv6-icmp|igmp|esp|ah|gre|vrrp)$/.test(saidOf(match, '-p') ?? '') ||
  /^(?!.*\b(NEW|UNTRACKED)\b)./.test(saidOf(match, '--(?:ct)?state') ?? '')

const intoOurs = ({ rules }: UfwTask, matches: string[]): boolean =>
  !matches.some(it => harmless(it) || saidOf(it, '-i') === 'lo') &&
  rules.some(({ port, proto }) =>
    matches.every(match => {
      const ports = saidOf(match, '--(?:dports?|ports)')
      return (
        ['all', proto].includes(saidOf(match, '-p') ?? 'all') &&
        (!ports || ports.split(',').some(it => overlap(it, String(port))))
      )
    }),
  )

const overlap = (a: string, b: string) => {
  const [[from, to = from], [first, last = first]] = [a, b].map(it => it.split(':').map(Number)) as [number[], number[]]
  return from! <= last! && first! <= to!
}

const outOfUser = ({ outgoing }: UfwTask, matches: string[]): boolean =>
  outgoing !== undefined &&
  !matches.some(harmless) &&
  matches.flatMap(it => saidOf(it, '--uid-owner') ?? []).every(it => it === outgoing.user || it.includes('-'))

const tool = (family: Family) => (family === 'v4' ? 'iptables' : 'ip6tables')

/** The command that takes a rule away as it was seen. */
export const removal = ({ family, rule }: Foreign) => `${tool(family)} ${rule.replace(/^-A /, '-D ')}`

/** We do not remove rules of others, nor does a new login prove anything while one lets everybody in. */
export const refuseOpening = (task: UfwTask, seen: { foreign: Foreign[] }) => {
  const found = opening(task, seen)
  if (!found.length) return
  throw new Problem(`${found.length === 1 ? 'a rule that is' : 'rules that are'} not ufw's let traffic past it`, {
    why: found.map(it => `${it.family}: ${it.rule}`).join('\n'),
    next: `find what put it there, and remove it on the host:\n${found.map(removal).join('\n')}\nthen run the command again. What it let in is shut out then, but for what a rule of ufw allows`,
  })
}

/** ufw adds its jumps at its first start alone, so a reload does not bring them back. All of a chain, in their order. */
export const hookAgain = (missing: Record<Family, string[]>): string[] =>
  (['v4', 'v6'] as const).flatMap(family =>
    ways.flatMap(way => {
      const jumps = jumpsOf(family, way)
      if (!jumps.some(it => missing[family].includes(it))) return []
      const there = jumps.filter(it => !missing[family].includes(it)).map(it => it.replace('-A', '-D'))
      return `if ${tool(family)} -S ${prefix(family)}-track-${way} >/dev/null 2>&1; then
  printf '%s\\n' '*filter' ${[...there, ...jumps].map(it => `'${it}'`).join(' ')} COMMIT | ${tool(family)}-restore -n
fi`
    }),
  )
