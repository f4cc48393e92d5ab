import { guardZone } from '../guard/zones.ts'
import { quote } from '../shell.ts'
import type { TaskKind } from './kind.ts'
import { hookAgain, refuseOpening } from './ufw-chains.ts'
import { again } from './ufw-order.ts'
import { linesOf, oursIn, outgoingDrift, writeOutgoing } from './ufw-outgoing.ts'
import { restoreRules, sameRules } from './ufw-restore.ts'
import { commentOf, keysOf, ours, spec, specOfKey, type UfwRule } from './ufw-rules.ts'
import { drift, lookUfw, parseUfw, policies, type UfwState } from './ufw-state.ts'
import type { UfwTask } from './ufw-task.ts'

const title = 'firewall (ufw)'

/** The firewall is on, with our rules and nobody's else touched. Every change is confirmed by a new login or undone. */
export const ufwTask: TaskKind<UfwTask, UfwState> = {
  title: () => title,
  look: lookUfw,
  parse: parseUfw,
  diff(task, state) {
    const lines = drift(task, state)
    return lines.length ? { name: title, action: state.enabled ? 'update' : 'create', diff: lines.join('\n') } : null
  },
  change(task, state) {
    refuseOpening(task, state)
    return [
      // Adding first, deleting last: at no moment are we without the rule that lets us in.
      ...task.rules.filter(rule => !inTuples(rule, state) && !again(task, state).includes(rule)).map(add),
      ...again(task, state).flatMap(rule => [remove(rule), add(rule)]),
      ...policies
        .filter(it => task.defaults[it] !== state.defaults[it])
        .map(it => `ufw default ${task.defaults[it]} ${it}`),
      ...(task.logging && task.logging !== state.logging ? [`ufw logging ${task.logging}`] : []),
      ...stale(task, state).map(key => `ufw --force delete ${specOfKey(key)}`),
      ...(outgoing(task, state)
        ? [writeOutgoing({ v4: linesOf(task.outgoing, 'v4'), v6: linesOf(task.outgoing, 'v6') })]
        : []),
      // What ufw says of itself may be right while the kernel has something else.
      'if [ -d /run/systemd/system ]; then systemctl -q enable ufw; fi',
      ...hookAgain(state.unhooked),
      state.enabled ? (state.kernelDrift.length || outgoing(task, state) ? 'ufw reload' : ':') : 'ufw --force enable',
    ].join('\n')
  },
  restore: (task, before) =>
    [
      ...(before.enabled ? [] : ['ufw --force disable']),
      ...(before.logging ? [`ufw logging ${before.logging}`] : []),
      restoreRules(task, before),
      ...policies.filter(it => before.defaults[it] !== '').map(it => `ufw default ${before.defaults[it]} ${it}`),
      ...task.rules
        .flatMap(rule => keysOf(rule, before.ipv6))
        .filter(key => !before.rules.some(it => it.key === key))
        .map(key => `ufw --force delete ${specOfKey(key)}`),
      writeOutgoing(oursIn(before.outgoing)),
      ...(before.enabled ? ['ufw --force enable', 'ufw reload'] : []),
    ].join('\n'),
  same: (before, now, task) =>
    before.enabled === now.enabled &&
    policies.every(it => before.defaults[it] === now.defaults[it]) &&
    before.logging === now.logging &&
    sameOutgoing(before, now) &&
    sameRules(before, now, task),
  live: true,
  guard: ({ confirmSeconds = 30 }) => guardZone('ufw', confirmSeconds),
}

const outgoing = (task: UfwTask, state: UfwState) =>
  outgoingDrift(task.outgoing, state.outgoing, state.enabled).length > 0

const sameOutgoing = (before: UfwState, now: UfwState) =>
  JSON.stringify(oursIn(before.outgoing)) === JSON.stringify(oursIn(now.outgoing))

const add = (rule: UfwRule) => `ufw ${spec(rule)} comment ${quote(commentOf(rule))}`

const remove = (rule: UfwRule) => `ufw --force delete ${spec(rule)}`

const inTuples = (rule: UfwRule, state: UfwState) =>
  keysOf(rule, state.ipv6).every(key => state.rules.some(it => it.key === key && it.comment === commentOf(rule)))

/** Rules with our comment that nobody wants any more. */
export const stale = (task: UfwTask, state: UfwState): string[] => {
  const wanted = new Set(task.rules.flatMap(rule => keysOf(rule, state.ipv6)))
  return state.rules.filter(it => it.comment.startsWith(ours) && !wanted.has(it.key)).map(it => it.key)
}
