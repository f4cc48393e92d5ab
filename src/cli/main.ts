import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type StageName, stageNames } from '../../playbooks/site.ts'
import type { ExitCode } from '../engine/problem.ts'
import { Problem, Problems } from '../engine/problem.ts'
import { Unreachable } from '../hosts/ssh-problems.ts'
import { problemText } from '../report/problem.ts'
import { alike } from './alike.ts'
import { deploy } from './commands/deploy.ts'
import { destroy } from './commands/destroy.ts'
import { drain } from './commands/drain.ts'
import { evidence } from './commands/evidence.ts'
import { explain } from './commands/explain.ts'
import { abortHere, askRun, wishOf } from './commands/hand.ts'
import { inventory } from './commands/inventory.ts'
import { monitoring } from './commands/monitoring.ts'
import { policy } from './commands/policy.ts'
import { render } from './commands/render.ts'
import { replay } from './commands/replay.ts'
import { forTenant, report } from './commands/report.ts'
import { rollback } from './commands/rollback.ts'
import { status } from './commands/status.ts'
import { type Flags, parse } from './flags.ts'
import { inContext } from './hint.ts'
import { listen } from './interrupt.ts'
import { createOutput, type Output, surviveClosedPipes } from './output.ts'
import { type Interrupt, type Session, withSession } from './session.ts'
import { exitOf, statusOf } from './summary.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

type Command = {
  writes: (flags: Flags) => boolean
  offline?: (flags: Flags) => boolean
  /** Takes `--pause`, `--promote`, `--abort`, and a `--resume` that may be about a paused run. */
  hand?: true
  run: (session: Session) => Promise<ExitCode>
}

const changing = ({ check }: Flags) => !check
const looking = () => false
const stage = (name: StageName): Command => ({ writes: changing, run: session => deploy(session, [name]) })

const commands: Record<string, Command> = {
  deploy: { writes: changing, hand: true, run: session => deploy(session, stageNames) },
  ...Object.fromEntries(stageNames.map((name, at) => [`${at + 1}0-${name}`, stage(name)])),
  '50-rollout': { ...stage('rollout'), hand: true },
  '40-configure': {
    writes: ({ check, render: directory }) => !check && directory === undefined,
    offline: ({ render: directory }) => directory !== undefined,
    run: async session =>
      session.flags.render === undefined ? deploy(session, ['configure']) : render(session, session.flags.render),
  },
  '60-verify': {
    writes: looking,
    run: async session =>
      session.flags.evidence === undefined
        ? deploy({ ...forTenant(session), flags: { ...session.flags, check: false } }, ['verify'])
        : evidence(session, session.flags.evidence),
  },
  rollback: { writes: changing, run: rollback },
  destroy: { writes: changing, run: destroy },
  status: { writes: looking, run: status },
  drain: { writes: looking, run: drain },
  policy: { writes: ({ check, to }) => !check && to !== undefined, run: policy },
  report: { writes: looking, offline: ({ log }) => log.length > 0, run: report },
  replay: { writes: looking, offline: ({ log }) => log.length > 0, run: replay },
  explain: { writes: looking, offline: () => true, run: async session => explain(session) },
  monitoring: { writes: looking, offline: () => true, run: async session => monitoring(session) },
  inventory: { writes: looking, offline: ({ from }) => from !== undefined, run: inventory },
}

/** Runs one command and says how it ended: the exit codes of the Contract. */
export const main = async (name: string, argv: string[]): Promise<number> => {
  surviveClosedPipes()
  let interrupt: Interrupt | undefined
  let output: Output = createOutput({ json: argv.includes('--json') })
  let told = (next: string) => next
  try {
    const command = commands[name]
    if (!command) throw new Error(`no command ${name}`)
    const { flags } = parse(name, argv)
    output = createOutput({ json: flags.json })
    told = next => inContext(next, flags.context)
    interrupt = listen(output)
    const options = { command: name, flags, root, output, interrupt }
    const wish = command.hand ? wishOf(flags) : undefined
    if (wish) {
      // The run that is asked holds the lock. What is to be said of the inventory, a run of ours says.
      const looking = { ...options, output: { ...output, say: () => undefined }, writes: false, offline: true }
      const answer = await withSession(looking, session => askRun({ ...session, output: options.output }, wish))
      if (answer !== 'nobody') return answer
    }
    return await withSession(
      { ...options, writes: command.writes(flags), offline: command.offline?.(flags) ?? false },
      wish === 'abort' ? abortHere : command.run,
    )
  } catch (error) {
    return fail(interrupt?.abort.aborted && isAbort(error) ? stopped(error) : error, output, told)
  }
}

const fail = (error: unknown, output: Output, told: (next: string) => string): ExitCode => {
  const exit = exitOf(error)
  for (const it of error instanceof Problems ? alike(error.all) : [error]) {
    output.say(problemText(it, { told }))
    output.event(
      'problem',
      it instanceof Problem
        ? {
            what: it.message,
            why: it.why,
            next: told(it.next),
            ...(it.at && { at: it.at }),
            ...(it instanceof Unreachable && { unreachable: true }),
          }
        : { what: String(it) },
    )
  }
  output.summarise(statusOf(exit))
  return exit
}

const isAbort = (error: unknown) => error instanceof Error && error.name === 'AbortError'

const stopped = (cause: unknown) =>
  new Problem('interrupted while something was under way', {
    why: 'the second signal stopped waiting; what had been started may be finished or not, and the journal says what',
    next: 'run the same command again: it looks at what is there',
    exit: 130,
    cause,
  })
