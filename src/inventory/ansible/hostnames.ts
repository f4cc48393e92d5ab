/** `web[01:10].x` is ten hosts, and `:2222` after it their port. Throws an Error that says what is wrong. */
export const hostsNamed = (pattern: string): { names: string[]; port?: number } => {
  if (/\p{Cc}/u.test(pattern)) throw new Error('a control character is in the name of a host')
  const [, bracketed, port6] = /^\[([^\]]+)\]:(\d+)$/.exec(pattern) ?? []
  const [, plain, port] = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(pattern) ?? []
  const bare = bracketed ?? plain ?? pattern
  const found = port6 ?? port
  const names = expand(bare)
  return found === undefined ? { names } : { names, port: Number(found) }
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const most = 100_000

const expand = (pattern: string): string[] => {
  const [, head = '', range, tail = ''] = /^(.*?)\[([^\]]*)\](.*)$/.exec(pattern) ?? []
  if (range === undefined) return [pattern]
  const parts = sequence(range)
  const tails = expand(tail)
  if (parts.length * tails.length > most) throw new Error(`${pattern} is more than ${most} hosts`)
  return parts.flatMap(part => tails.map(it => `${head}${part}${it}`))
}

const sequence = (range: string): string[] => {
  const [first = '', last, by = '1', ...rest] = range.split(':')
  const from = first === '' ? '0' : first
  if (last === undefined || rest.length > 0) throw new Error(`[${range}] is no range like [01:10] or [a:f]`)
  if (last === '') throw new Error(`the range [${range}] has no end`)
  const step = whole(by)
  if (!(step > 0)) throw new Error(`${by} is no step in [${range}]`)
  if (from.length === 1 && last.length === 1 && letters.includes(from) && letters.includes(last))
    return steps(letters.indexOf(from), letters.indexOf(last), step, range).map(it => letters[it]!)
  const padded = from.length > 1 && from.startsWith('0')
  if (padded && from.length !== last.length) throw new Error(`both ends of [${range}] need as many digits`)
  return steps(whole(from), whole(last), step, range).map(it => String(it).padStart(padded ? from.length : 0, '0'))
}

const whole = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN)

const steps = (from: number, to: number, by: number, range: string): number[] => {
  if (!(from <= to)) throw new Error(`[${range}] does not lead from a smaller to a larger end`)
  if ((to - from) / by > most) throw new Error(`[${range}] is more than ${most} hosts`)
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, at) => from + at * by)
}
