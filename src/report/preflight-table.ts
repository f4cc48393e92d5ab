import { wrap } from './wrap.ts'

export type PreflightRow = {
  level: 'stop' | 'note'
  check: string
  workload: string
  what: string
  why: string
  next: string
}

const WIDTH = 80
const MOST = 26

/** What stands in the way of a rollout, 80 columns wide; workloads of which the same is said share a row. */
export const preflightText = (rows: readonly PreflightRow[]): string[] => {
  const groups = new Map<string, PreflightRow[]>()
  for (const it of rows) {
    const key = [it.level, it.check, it.what, it.why].join('\n')
    groups.set(key, [...(groups.get(key) ?? []), it])
  }
  const name = Math.min(MOST, Math.max(8, ...rows.map(it => it.workload.length)))
  const head = ['level', 'workload'.padEnd(name), 'what, why, and what to do'].join('  ')
  const rest = WIDTH - 9 - name
  return [head, ['─'.repeat(5), '─'.repeat(name), '─'.repeat(rest)].join('  '), ...[...groups.values()].flatMap(it => linesOf(it, name))] // biome-ignore format: a table
}

const linesOf = (rows: PreflightRow[], name: number): string[] => {
  const [{ level, workload, check, what, why, next }] = rows as [PreflightRow]
  const indent = ' '.repeat(9 + name)
  const short = workload.length <= name
  const start = `${level}   ${(short ? workload : '').padEnd(name)}  `
  const others = rows.slice(1).map(it => it.workload)
  const more = others.length > 3 ? `${others.slice(0, 3).join(', ')} and ${others.length - 3} more` : others.join(', ')
  return [
    ...(short ? [] : [`${level}   ${workload}`]),
    ...wrap(short ? start : indent, `${what} (${check})`, WIDTH),
    ...(others.length > 0 ? wrap(`${indent}also  `, more, WIDTH) : []),
    ...wrap(`${indent}why   `, why, WIDTH),
    ...wrap(`${indent}next  `, next, WIDTH),
  ]
}
