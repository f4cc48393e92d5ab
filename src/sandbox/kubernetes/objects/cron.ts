type Clock = { minute: number; hour: number; day: number; month: number; weekday: number }

const macros: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const weekdays = 'sun mon tue wed thu fri sat'.split(' ')
const ranges: [least: number, most: number, names: string[]][] = [
  [0, 59, []],
  [0, 23, []],
  [1, 31, []],
  [1, 12, months],
  [0, 7, weekdays],
]

/** A schedule of five fields (or a macro) as a test of minutes; null: it is none. A day is one by its number or its name. */
export const parseSchedule = (text: string): ((at: Clock) => boolean) | null => {
  const fields = (macros[text.trim()] ?? text).trim().split(/\s+/)
  if (fields.length !== 5) return null
  const sets = fields.map((it, index) => field(it, ...ranges[index]!))
  if (sets.some(it => it === null)) return null
  const [minutes, hours, days, monthsOf, week] = sets as Set<number>[]
  if (week!.has(7)) week!.add(0)
  const isFree = (index: number) => /^[*?]/.test(fields[index]!)
  return ({ minute, hour, day, month, weekday }) => {
    if (!minutes!.has(minute) || !hours!.has(hour) || !monthsOf!.has(month)) return false
    const [isDay, isWeekday] = [days!.has(day), week!.has(weekday)]
    return isFree(2) || isFree(4) ? isDay && isWeekday : isDay || isWeekday
  }
}

const field = (text: string, least: number, most: number, names: string[]): Set<number> | null => {
  const found = new Set<number>()
  for (const part of text.toLowerCase().split(',')) {
    const parts = /^(\*|\?|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part)
    if (!parts) return null
    const [, from, to, every] = parts
    const read = (it: string) => (names.includes(it) ? names.indexOf(it) + least : Number(it))
    const isAll = from === '*' || from === '?'
    const first = isAll ? least : read(from!)
    const last = to !== undefined ? read(to) : isAll || every ? most : first
    const step = Number(every ?? 1)
    if (!(first >= least && last <= most && first <= last && step > 0)) return null
    for (let it = first; it <= last; it += step) found.add(it)
  }
  return found
}

/** What a clock in that zone shows; no zone: UTC. */
export const clockOf = (time: number, timeZone = 'UTC'): Clock => {
  const options = { timeZone, hourCycle: 'h23', weekday: 'short' } as const
  const digits = { month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const parts = new Intl.DateTimeFormat('en-US', { ...options, ...digits }).formatToParts(time)
  const get = (type: string) => parts.find(it => it.type === type)!.value
  const [minute, hour, day, month] = ['minute', 'hour', 'day', 'month'].map(it => Number(get(it)))
  return {
    minute: minute!,
    hour: hour!,
    day: day!,
    month: month!,
    weekday: weekdays.indexOf(get('weekday').toLowerCase()),
  }
}
