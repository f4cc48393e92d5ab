import { innerOf } from '../../../playbooks/configure.ts'
import { throwAll } from '../../engine/plan.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { policyOf } from '../../policy/entries.ts'
import { createReplay } from '../../policy/replay.ts'
import { replayText } from '../../report/replay-table.ts'
import type { Session } from '../session.ts'
import { sinceOf } from '../since.ts'
import { finish, noChanges } from '../summary.ts'
import { whoIs } from '../who-is.ts'
import { forTenant, hearAll } from './report.ts'

/** The log of the last hours against the policies of the inventory as it is now: what would end otherwise. Looks only. */
export const replay = async (asked: Session): Promise<ExitCode> => {
  const session = forTenant(asked)
  const { context, flags, output } = session
  const until = Date.now()
  const since = sinceOf(flags.since, until)
  const policies = context.tenants.map(it => policyOf(context, it))
  const from = flags.log.length > 0 ? () => null : await whoIs(session)
  const replaying = createReplay({ since, until, policies, inner: innerOf(context), from })
  const { sources, problems } = await hearAll(session, since, it => replaying.add(it))
  const made = replaying.end()
  output.event('replay', { replay: { ...made, sources } })
  output.data(replayText(made))
  throwAll(problems)
  return finish(session, { status: 'ok', changes: noChanges })
}
