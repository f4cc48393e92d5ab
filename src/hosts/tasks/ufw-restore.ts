import { quote } from '../shell.ts'
import { keysOf, ours, parseTuple, specOfKey } from './ufw-rules.ts'
import type { UfwState } from './ufw-state.ts'
import type { UfwTask } from './ufw-task.ts'

type Placed = { tuple: string; spec?: string; comment?: string }
type Family = 'v4' | 'v6'

const families = ['v4', 'v6'] as const
const file = (family: Family) => (family === 'v4' ? '/etc/ufw/user.rules' : '/etc/ufw/user6.rules')

/** All rules of a family as they stood. Those with a `spec` are ours to put back: by their comment, or wanted by the task. */
const placed = (task: UfwTask, before: UfwState, family: Family): Placed[] => {
  const wanted = new Set(task.rules.flatMap(rule => keysOf(rule, before.ipv6)))
  return before.tuples[family].map(tuple => {
    const [it, ...more] = parseTuple(family, `### tuple ### ${tuple}`) ?? []
    if (!it || more.length || !(it.comment.startsWith(ours) || wanted.has(it.key))) return { tuple }
    return { tuple, spec: specOfKey(it.key), comment: it.comment }
  })
}

// Positions count all of IPv4, then all of IPv6, and none beyond the last is taken. @see ufw(8), insert
const functions = `tuples() { sed -n 's/^### tuple ### //p' "$1" 2>/dev/null; }
place() { # file, its tuple, the tuple before it, the words of the rule, its comment
  file=$1 tuple=$2 last=$3 words=$4 comment=$5
  set -- $words
  ufw --force delete "$@"
  n=0
  if [ -n "$last" ]; then n=$(tuples "$file" | grep -nxF -- "$last" | cut -d: -f1); fi
  if [ $((n + 1)) -le "$(tuples "$file" | wc -l)" ]; then
    n=$((n + 1))
    case $file in *user6.rules) n=$((n + $(tuples /etc/ufw/user.rules | wc -l))) ;; esac
    set -- insert "$n" "$@"
  fi
  if [ -n "$comment" ]; then set -- "$@" comment "$comment"; fi
  ufw "$@"
}
# From the first on that is not in its place: rules of others stay where they are, ours go behind what they stood behind.
was_here() { # file, tuple, the words of the rule, its comment
  if [ $right = yes ]; then
    if [ "$(tuples "$1" | grep -xF -- "$all" | sed -n "$((at + 1))p")" = "$2" ]; then at=$((at + 1)); last=$2; return; fi
    tuples "$1" | grep -qxF -- "$2" || [ $# -gt 2 ] || return 0
    right=no
  fi
  if [ $# -gt 2 ]; then place "$1" "$2" "$last" "$3" "$4"
  elif ! tuples "$1" | grep -qxF -- "$2"; then return 0; fi
  last=$2
}`

/** Gives our rules back with their words, their comments and their places among all others; what is right is not touched. */
export const restoreRules = (task: UfwTask, before: UfwState): string => {
  const all = families
    .map(family => ({ family, rules: placed(task, before, family) }))
    .filter(({ rules }) => rules.some(it => it.spec))
  return [
    ...(all.length ? [functions] : []),
    ...all.flatMap(({ family, rules }) => [
      `right=yes last= at=0 all=${quote(rules.map(it => it.tuple).join('\n'))}`,
      ...rules.map(({ tuple, spec, comment = '' }) =>
        ['was_here', file(family), quote(tuple), ...(spec ? [quote(spec), quote(comment)] : [])].join(' '),
      ),
    ]),
  ].join('\n')
}

/** Our rules are all there and no others of ours, and what stands in both stands in the same order. */
export const sameRules = (before: UfwState, now: UfwState, task: UfwTask): boolean =>
  families.every(family => {
    const [was, is] = [placed(task, before, family), placed(task, now, family)]
    const [then, here] = [was, is].map(all => new Set(all.map(it => it.tuple))) as [Set<string>, Set<string>]
    const kept = (all: Placed[], others: Set<string>) =>
      all.filter(it => it.spec || others.has(it.tuple)).map(it => it.tuple)
    return kept(was, here).join('\n') === kept(is, then).join('\n')
  })
