import { wrap } from '../report/wrap.ts'
import type { Leak } from '../scaleway/leaks.ts'
import type { Session } from './session.ts'

/** Never deleted by us: they carry no tags, so nobody can know. */
export const tellLeaks = ({ output }: Pick<Session, 'output'>, leaks: readonly Leak[]): void => {
  for (const it of leaks) output.event('leak', it)
  if (leaks.length === 0) return
  output.data('left, not ours by tag: look at them')
  for (const { what, name, id, zone, why, link } of leaks) {
    const place = [...(name === id ? [] : [id]), ...(zone ? [zone] : [])].join(', ')
    output.data(`  ? ${what} ${name}  (${place})`)
    for (const line of wrap('      ', `${why}; ${link}`)) output.data(line)
  }
}
