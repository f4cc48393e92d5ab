import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import { cutShort } from './cut-short.ts'
import { newMark } from './exchange.ts'
import { carry } from './follow.ts'
import { confirmation, type Guard, guarded, guardFunctions } from './guard/guard.ts'
import type { HealthStep } from './health.ts'
import { quote, unbase64 } from './shell.ts'
import type { Ssh } from './ssh.ts'
import { Unreachable } from './ssh-problems.ts'

/** One change on the host and the way back, as sh. */
export type BundleStep = {
  title: string
  run: string
  back: string
  notify: string[]
  live: boolean
  /** Where it could cut us off: how the host takes it back unless a new login confirms it. */
  guard: Guard | null
  retries?: number
  delaySeconds?: number
  timeoutSeconds?: number
}

/** `health`: what must hold at the end, or all is taken back. `look`: sh that follows when all is done. */
export type Bundle = { steps: BundleStep[]; handlers: Record<string, string>; health?: HealthStep[]; look?: string }

const [functions, runner] = ['./step.sh', './runner.sh'].map(it => readFileSync(new URL(it, import.meta.url), 'utf8'))

/** The whole bundle as one script: definitions, then the runner. Cut off anywhere, it does nothing. */
export const bundleScript = (
  { steps, handlers, health = [], look = '' }: Bundle,
  { mark, run }: { mark: string; run: string },
): string => {
  const names = Object.keys(handlers)
  const define = (name: string, body: string) => `${name}() {\n${body || ':'}\n}`
  return [
    'ke_bundle() {',
    `mark=${quote(mark)} run=${quote(run)} count=${steps.length} handlers='${names.map((_, n) => n + 1).join(' ')}' checks='${health.map((_, n) => n + 1).join(' ')}'`,
    ...steps.flatMap((step, n) => [
      define(`do_${n + 1}`, step.guard ? guarded(timed(step), `${run}.${n + 1}`, step.guard) : timed(step)),
      ...(step.guard ? [define(`restore_${n + 1}`, `${step.back}\n${step.guard.inForce ?? ':'}`)] : []),
      define(`back_${n + 1}`, step.guard ? `guard_take_back ${run}.${n + 1} restore_${n + 1}` : step.back),
      define(`notify_${n + 1}`, step.notify.map(it => `note ${quote(it)}`).join(' &&\n')),
      define(`again_${n + 1}`, step.retries ? `retries=${step.retries} pause=${step.delaySeconds ?? 1}` : ''),
      define(`live_${n + 1}`, step.live ? 'live=yes' : ':'),
      define(`confirm_${n + 1}`, step.guard ? `seconds=${Math.ceil(step.guard.seconds)}` : ':'),
    ]),
    ...names.map((name, n) => define(`handler_${n + 1}`, handlers[name]!)),
    ...health.flatMap(({ run, withinSeconds }, n) => [
      define(`health_${n + 1}`, run),
      define(`within_${n + 1}`, `echo ${Math.ceil(withinSeconds)}`),
    ]),
    define('name_of', `case $1 in\n${names.map((name, n) => `${n + 1}) name=${quote(name)} ;;\n`).join('')}esac`),
    define('look_again', look),
    ...(steps.some(it => it.guard) ? [guardFunctions] : []),
    functions!,
    runner!,
    '}',
    'ke_bundle </dev/null',
    'exit',
    '',
  ].join('\n')
}

/** Within its time, in a shell and process group of its own, which ends with all that it started. */
const timed = ({ run, timeoutSeconds }: BundleStep): string =>
  timeoutSeconds === undefined
    ? run
    : `limit_rc=0
timeout -k 5 ${timeoutSeconds} sh -s <<'KE_TIMED' || limit_rc=$?
echo $PPID >"$KE_STATE/group.$KE_RUN"
${functions}
ke_step() {
set -e
${run}
}
ke_step </dev/null
exit
KE_TIMED
if [ $limit_rc = 124 ] || [ $limit_rc = 137 ]; then end_group 'not done within ${timeoutSeconds} s'; fi
rm -f -- "$KE_STATE/group.$KE_RUN"
[ $limit_rc = 0 ] || exit $limit_rc`

/**
 * One exec changes everything, and one new login confirms what could have locked us out. On failure the host has
 * taken back what this bundle did; the Problem says so, or what is stuck. An interrupt does not stop it half-way.
 * What `look` printed is in the answer, unless the connection ended meanwhile.
 */
export const runBundle = async (ssh: Ssh, host: HostAddress, bundle: Bundle, report: Report): Promise<string> => {
  const mark = newMark()
  const run = `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`
  const names = Object.keys(bundle.handlers)
  const checks = bundle.health ?? []
  const nameOf = (n: string) => {
    if (n.startsWith('h')) return `handler ${names[+n.slice(1) - 1]}`
    return n.startsWith('c') ? checks[+n.slice(1) - 1]!.title : bundle.steps[+n - 1]!.title
  }
  const told = { steps: bundle.steps.map(it => it.title), ok: 0, handled: [] as string[] }
  let begun = false
  let ended = ''
  let failed: { what: string; why: string } | undefined
  const stuck: string[] = []
  let confirming: Promise<void> | undefined
  let untold: unknown
  // Lines come while the host works on: a journal that cannot be written must end neither the process nor the listening.
  const tell = (part: string) => {
    try {
      report.progress(part)
    } catch (error) {
      untold ??= error
    }
  }
  const onLine = (line: string) => {
    if (!line.startsWith(`${mark} `)) return
    const [word = '', n = '', text = '', rc = ''] = line.slice(mark.length + 1).split(' ')
    if (word === 'begin' || word === 'cut') begun = true
    if (word === 'ok') {
      told.ok = +n
      tell(`${host.name}: ${nameOf(n)}`)
    }
    if (word === 'again') {
      const { title, retries } = bundle.steps[+n - 1]!
      tell(`${host.name}: ${title}: failed, tried again (${text} of ${retries})`)
    }
    if (word === 'handled') {
      told.handled.push(nameOf(`h${n}`))
      tell(`${host.name}: ${nameOf(`h${n}`)}`)
    }
    if (word === 'healthy') tell(`${host.name}: ${nameOf(`c${n}`)}`)
    if (word === 'confirm')
      confirming = confirm(ssh, host, { id: `${run}.${n}`, ...bundle.steps[+n - 1]! }, { ...report, progress: tell })
    if (word === 'failed') failed = { what: nameOf(n), why: unbase64(text).toString().trim() || silent(rc) }
    if (word === 'stuck') stuck.push(`${nameOf(n)}: ${unbase64(text).toString().trim().slice(-500)}`)
    if (word === 'busy') failed = { what: 'the change', why: 'another run still changes this host' }
    if (word === 'end') ended = n
  }
  const { code, stdout, stderr } = await carry(
    ssh,
    host,
    {
      mark,
      run,
      script: bundleScript(bundle, { mark, run }),
      onLine,
      timeoutSeconds: 1800 + patience(bundle),
      // Until what cut us off has taken itself back, too.
      awaySeconds: 120 + Math.max(0, ...bundle.steps.map(it => it.guard?.seconds ?? 0)),
    },
    report,
  )
  await confirming
  if (ended === 'ok' && untold === undefined) return stdout
  if (ended === 'ok') throw untold
  if (stuck.length)
    throw new Problem(`${host.name}: ${failed?.what ?? 'a change'} failed, and not all could be taken back`, {
      why: [failed?.why ?? '', ...stuck].join('\n'),
      next: `mend these on the host (earlier files are in /var/lib/kapsule-egress/backup/${run}), then run the command again`,
    })
  if (begun && ended === '')
    throw new Problem(`${host.name}: the change was cut short on the host`, {
      why: `${cutShort({ ...told, failed: failed?.what })} (its runner was ended: power, memory, or somebody)`,
      next: 'run the command again with --resume: it looks first, and does what is left',
    })
  throw new Problem(`${host.name}: ${failed?.what ?? 'the change'} failed; the host is as it was before`, {
    why: failed?.why || stderr.trim().slice(-500) || `the host ended the change with exit code ${code}`,
    next: 'mend the cause, then run the command again with --resume',
  })
}

const silent = (code: string) => (code === '' ? '' : `it ended with exit code ${code} and said nothing`)

/** What checks and tries may take on top, in seconds. */
const patience = ({ steps, health = [] }: Bundle): number =>
  health.reduce((sum, it) => sum + it.withinSeconds, 0) +
  steps.reduce(
    (sum, { retries = 0, delaySeconds = 1, timeoutSeconds = 0 }) => sum + retries * (delaySeconds + timeoutSeconds),
    0,
  )

/** Tries new logins until one gets through or the host has taken the change back by itself. */
const confirm = async (
  ssh: Ssh,
  host: HostAddress,
  { id, title, guard }: Pick<BundleStep, 'title' | 'guard'> & { id: string },
  report: Report,
): Promise<void> => {
  const until = Date.now() + guard!.seconds * 1000
  // A login that is refused again and again would have us banned (PerSourcePenalties, fail2ban) when we get in again.
  for (let wait = 250, refusals = 0; Date.now() < until && refusals < 3; wait = Math.min(wait * 2, 2000)) {
    try {
      const connectTimeoutSeconds = Math.max(1, Math.min(5, (until - Date.now()) / 1000))
      const { code } = await ssh.fresh(host, {
        ...asRoot(host, confirmation(id)),
        connectTimeoutSeconds,
        timeoutSeconds: 10,
      })
      if (code === 0) return report.progress(`${host.name}: a new login confirmed ${title}`)
    } catch (error) {
      // Not a failure yet: the host waits, and decides itself when the time is over.
      if (!(error instanceof Unreachable)) refusals++
    }
    report.waiting(`${host.name}: a new login to confirm ${title}`)
    await sleep(Math.max(0, Math.min(wait, until - Date.now())))
  }
}
