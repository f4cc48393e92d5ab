import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { hostTasks } from '../../../playbooks/configure.ts'
import type { ExitCode } from '../../engine/problem.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** `--render DIR`: what would be put on each host, as files below DIR/<host>. Connects to nothing. */
export const render = (session: Session, directory: string): ExitCode => {
  const { context, output } = session
  for (const tenant of context.tenants) {
    const host = tenant.egress.proxy.name
    for (const task of hostTasks(context, tenant).tasks) {
      if (task.task !== 'file') continue
      const file = join(resolve(directory), host, task.path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, task.content, { mode: Number.parseInt(task.mode, 8) })
      output.data(file)
      output.event('rendered', { host, path: task.path, file })
    }
  }
  return finish(session, { status: 'ok', changes: noChanges })
}
