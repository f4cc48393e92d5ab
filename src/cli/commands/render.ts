import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { hostTasks } from '../../../playbooks/configure.ts'
import { gatewayManifests } from '../../../playbooks/gateway-pod.ts'
import type { Json } from '../../engine/json.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { standIns } from '../../engine/refs.ts'
import type { FileTask } from '../../hosts/tasks/file.ts'
import { isGateway, machinesIn } from '../../inventory/context.ts'
import { policyOf } from '../../policy/entries.ts'
import { policyText } from '../../policy/policy-file.ts'
import { gatewayName } from '../../rollout/gateway-pod/manifests.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

type Play = ReturnType<typeof hostTasks>

/**
 * `--render DIR`: each host's files below DIR/<host>, laid out like its disk, and everything else of its play in
 * DIR/<host>.yaml; of a gateway in the cluster its manifests and its policy. Connects to nothing and starts nothing. The same inventory gives the same bytes.
 */
export const render = (session: Session, directory: string): ExitCode => {
  const { context, output } = session
  const rendered = machinesIn(context).map(it => ({ host: it.proxy.name, play: hostTasks(context, it) }))
  for (const { host, play } of rendered) {
    const files = [
      { path: '', file: join(resolve(directory), `${host}.yaml`), content: playText(play), mode: 0o644 },
      ...play.tasks.flatMap(task =>
        task.task === 'file'
          ? { path: task.path, file: join(resolve(directory), host, task.path), ...contentOf(task) }
          : [],
      ),
    ]
    for (const { path, file, content, mode } of files) {
      put(file, content, mode)
      output.data(file)
      output.event('rendered', { host, path, file })
    }
  }
  for (const tenant of context.tenants.filter(isGateway)) {
    const host = gatewayName(tenant.tenant)
    const manifests = gatewayManifests(context, tenant).map(it => stringify(it, { lineWidth: 0 }))
    for (const [name, content] of [
      [`${host}.yaml`, manifests.join('---\n')],
      [`${host}/${tenant.tenant}.policy`, policyText(policyOf(context, tenant))],
    ] as const) {
      const file = join(resolve(directory), name)
      put(file, content, 0o644)
      output.data(file)
      output.event('rendered', { host, path: '', file })
    }
  }
  return finish(session, { status: 'ok', changes: noChanges })
}

/** What only a run can know, such as an address that is still to be given, is named in its place. */
const contentOf = ({ content, fill = {}, mode }: FileTask) => ({
  content: Object.entries(standIns(fill as Json) as Record<string, string | string[]>).reduce(
    (text, [word, it]) => text.replaceAll(word, [it].flat().join(' ')),
    content,
  ),
  mode: Number.parseInt(mode, 8),
})

/** The play in order, with what its files hold left to the files. */
const playText = ({ tasks, handlers }: Play): string =>
  stringify(
    { tasks: tasks.map(it => ('content' in it ? { ...it, content: undefined, fill: undefined } : it)), handlers },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )

const put = (file: string, content: string, mode: number) => {
  try {
    makeDirectory(dirname(file))
    // The mode counts only for a new file, and one that is read-only could not be written again.
    rmSync(file, { force: true })
    writeFileSync(file, content, { mode })
  } catch (cause) {
    throw new Problem(`${file} cannot be written`, {
      why: (cause as Error).message,
      next: 'name a directory that you may write to: --render DIR',
      exit: 2,
      cause,
    })
  }
}

/** With its parents. Node's own way there never ends below /proc, where nothing can be made. */
const makeDirectory = (path: string) => {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  mkdirSync(path)
}
