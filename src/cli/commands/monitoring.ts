import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { scrapeOf } from '../../../playbooks/monitoring.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { rulesOf } from '../../report/alerts.ts'
import { dashboardOf } from '../../report/dashboard.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** `--render DIR`: what Prometheus and Grafana read. Asks the inventory alone; the same inventory gives the same bytes. */
export const monitoring = (session: Session): ExitCode => {
  const { context, flags, output } = session
  const directory = flags.render
  if (directory === undefined)
    throw new Problem('monitoring.mjs writes files, and nobody said where', {
      why: 'it reads the inventory and touches no proxy',
      next: 'monitoring.mjs --render DIR',
      exit: 2,
    })
  const rules = `kapsule-egress-${context.context}.rules.yml`
  const files = {
    'prometheus.yml': scrapeOf(context, rules),
    [rules]: stringify(rulesOf(context.context), { lineWidth: 0 }),
    [`kapsule-egress-${context.context}.dashboard.json`]: `${JSON.stringify(dashboardOf(context.context), null, 2)}\n`,
  }
  for (const [name, content] of Object.entries(files)) {
    const file = join(resolve(directory), name)
    try {
      mkdirSync(resolve(directory), { recursive: true })
      writeFileSync(file, content)
    } catch (cause) {
      throw new Problem(`${file} cannot be written`, {
        why: (cause as Error).message,
        next: 'name a directory that you may write to: --render DIR',
        exit: 2,
        cause,
      })
    }
    output.data(file)
    output.event('rendered', { file })
  }
  return finish(session, { status: 'ok', changes: noChanges })
}
