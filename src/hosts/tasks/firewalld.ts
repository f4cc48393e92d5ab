import { Problem } from '../../engine/problem.ts'
import { guardZone } from '../guard/zones.ts'
import { base64, quote, unbase64, writing } from '../shell.ts'
import { policyName, policyPath, policyXml, richRules } from './firewalld-policy.ts'
import { fields, type TaskKind } from './kind.ts'
import type { UfwTask } from './ufw-task.ts'

/** UFW's words. What goes out is always allowed, what is routed never; comments stay in the play. */
export type FirewalldTask = Omit<UfwTask, 'task'> & { task: 'firewalld' }
/** `policy`: our file, base64, null: none. `rules`: ours that are in force. `others`: what the zone lets in. */
export type FirewalldState = {
  installed: boolean
  running: boolean
  enabled: boolean
  zone: string
  target: string
  targetInForce: string
  logging: string
  policy: string | null
  rules: string[]
  others: string[]
  armed: boolean
}

const title = 'firewall (firewalld)'
const targets = { allow: 'ACCEPT', deny: 'DROP', reject: '%%REJECT%%' } as const
const denied = { off: 'off', low: 'unicast', medium: 'unicast', high: 'all', full: 'all' } as const

/** firewalld with our rules and nobody else's touched. Every change is confirmed by a new login or undone. */
export const firewalldTask: TaskKind<FirewalldTask, FirewalldState> = {
  title: () => title,
  look: () => `if ! command -v firewall-cmd >/dev/null; then exit 0; fi
echo installed yes
if [ -e "$KE_STATE/guard/armed" ]; then echo armed yes; fi
if [ ! -d /run/systemd/system ] || systemctl -q is-enabled firewalld 2>/dev/null; then echo enabled yes; fi
zone=$(sed -n 's/^DefaultZone=//p' /etc/firewalld/firewalld.conf)
echo "zone $zone"
sed -n 's/^LogDenied=/logging /p' /etc/firewalld/firewalld.conf
for it in /etc/firewalld/zones /usr/lib/firewalld/zones; do
  if [ -e "$it/$zone.xml" ]; then sed -n 's/.*<zone[^>]* target="\\([^"]*\\)".*/target \\1/p' "$it/$zone.xml"; break; fi
done
if [ -e ${policyPath} ]; then echo "policy $(base64 -w0 <${policyPath})"; fi
if i=$(firewall-cmd --info-zone="$zone" 2>/dev/null); then
  echo running yes
  printf '%s\\n' "$i" | sed -n 's/^  target: /targetInForce /p; s/^  services: \\(.\\)/other services \\1/p; s/^  ports: \\(.\\)/other ports \\1/p; s/^[ \\t]*rule /other rule /p'
  firewall-cmd --info-policy=${policyName} 2>/dev/null | sed -n 's/^[ \\t]*rule /rule rule /p'
fi`,
  parse(output) {
    const { policy = null, zone = '', target = 'default', targetInForce = '', logging = '', ...is } = fields(output)
    const all = (tag: string) =>
      output
        .split('\n')
        .filter(it => it.startsWith(`${tag} `))
        .map(it => it.slice(tag.length + 1).trim())
    return {
      installed: is.installed === 'yes',
      running: is.running === 'yes',
      enabled: is.enabled === 'yes',
      zone,
      target,
      targetInForce,
      logging,
      policy,
      rules: all('rule').sort(),
      others: all('other').sort(),
      armed: is.armed === 'yes',
    }
  },
  diff(task, state) {
    refuse(task)
    const lines = drift(task, state)
    if (lines.length) lines.push(...state.others.map(it => `= ${it}  # not ours, left`))
    return lines.length ? { name: title, action: state.running ? 'update' : 'create', diff: lines.join('\n') } : null
  },
  change: (task, state) => `${setPolicy(base64(policyXml(task.rules)))}
if firewall-cmd --state >/dev/null 2>&1; then firewall-cmd --check-config; else firewall-offline-cmd --check-config; fi
${start}
zone=$(firewall-cmd --get-default-zone)
firewall-cmd --permanent --zone="$zone" --set-target=${quote(targets[task.defaults.incoming])}
${task.logging && denied[task.logging] !== state.logging ? `firewall-cmd --set-log-denied=${denied[task.logging]}` : ''}
firewall-cmd --reload`,
  restore: (_task, before) => `${setPolicy(before.policy)}
if firewall-cmd --state >/dev/null 2>&1; then
  ${before.zone ? `firewall-cmd --permanent --zone=${quote(before.zone)} --set-target=${quote(before.target)}` : ':'}
  ${before.logging ? `[ "$(firewall-cmd --get-log-denied)" = ${quote(before.logging)} ] || firewall-cmd --set-log-denied=${quote(before.logging)}` : ':'}
  firewall-cmd --reload
fi
${before.running ? start : stop}`,
  same: (before, now) =>
    before.running === now.running &&
    before.policy === now.policy &&
    before.target === now.target &&
    before.logging === now.logging &&
    before.rules.join() === now.rules.join(),
  live: true,
  guard: ({ confirmSeconds = 30 }) => guardZone('firewalld', confirmSeconds),
}

const start = `if [ -d /run/systemd/system ]; then systemctl -q enable --now firewalld
elif ! firewall-cmd --state >/dev/null 2>&1; then firewalld; fi
n=0
until firewall-cmd --state >/dev/null 2>&1; do n=$((n + 1)); [ $n -le 50 ] || exit 1; sleep 0.2; done`

const stop = `if [ -d /run/systemd/system ]; then systemctl -q disable --now firewalld
elif [ -s /run/firewalld.pid ]; then kill "$(cat /run/firewalld.pid)" 2>/dev/null || :; fi`

const setPolicy = (content: string | null) =>
  content === null
    ? `rm -f -- ${policyPath}`
    : `mkdir -p /etc/firewalld/policies
c=/etc/firewalld/policies/.${policyName}.new
${writing(unbase64(content), '"$c"')}
chmod -- 644 "$c"
put_in_place "$c" ${policyPath}`

/** Everything between what is wanted and what is there, a line each. */
const drift = (task: FirewalldTask, state: FirewalldState): string[] => {
  const wanted = richRules(task.rules)
  const seen = state.policy === null ? '' : unbase64(state.policy).toString()
  const lines = [
    ...wanted.filter(it => !state.rules.includes(it)).map(it => `+ ${it}`),
    ...state.rules.filter(it => !wanted.includes(it)).map(it => `- ${it}`),
  ]
  if (seen !== policyXml(task.rules) && lines.length === 0) lines.push(`! ${policyPath} is not what is in force`)
  const target = targets[task.defaults.incoming]
  if (state.target !== target)
    lines.push(`default incoming (zone ${state.zone || 'not known'}): ${state.target} -> ${target}`)
  else if (state.running && state.targetInForce !== target)
    lines.push(`! the default in force is ${state.targetInForce}`)
  const logging = task.logging && denied[task.logging]
  if (logging && logging !== state.logging) lines.push(`logging: ${state.logging || 'not known'} -> ${logging}`)
  if (!state.running) lines.push('running: no -> yes')
  else if (!state.enabled) lines.push('enabled: no -> yes')
  if (state.armed) lines.push('! an earlier change was not confirmed and is being taken back')
  return lines
}

const refuse = ({ defaults: { outgoing, routed } }: FirewalldTask) => {
  if (outgoing === 'allow' && routed !== 'allow') return
  throw new Problem('the defaults cannot be written for firewalld', {
    why: 'a zone of firewalld has a default for what comes in only',
    next: 'allow what goes out and deny what is routed, or use ufw',
    exit: 2,
  })
}
