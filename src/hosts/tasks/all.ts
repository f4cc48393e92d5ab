import { createRequire } from 'node:module'
import { lazily } from '../../engine/lazily.ts'
import type { AbsentTask } from './absent.ts'
import type { AuthorizedKeyTask } from './authorized-key.ts'
import type { BlockTask } from './block.ts'
import type { CommandTask } from './command.ts'
import type { CronTask } from './cron.ts'
import type { DirectoryTask } from './directory.ts'
import type { FactsTask } from './facts.ts'
import type { FetchTask } from './fetch.ts'
import type { FileTask } from './file.ts'
import type { FirewalldTask } from './firewalld.ts'
import type { GroupTask } from './group.ts'
import type { Extras, TaskKind } from './kind.ts'
import type { LineTask } from './line.ts'
import type { PackageTask } from './package.ts'
import type { PolicyTask } from './policy.ts'
import type { PortTask } from './port.ts'
import type { RevisionTask } from './revision.ts'
import type { ServiceTask } from './service.ts'
import type { SymlinkTask } from './symlink.ts'
import type { SysctlTask } from './sysctl.ts'
import type { TemplateTask } from './template.ts'
import type { TimerTask } from './timer-units.ts'
import type { UfwTask } from './ufw-task.ts'
import type { UserTask } from './user.ts'

export type Task = Extras &
  (
    | PackageTask
    | DirectoryTask
    | FactsTask
    | FileTask
    | TemplateTask
    | SymlinkTask
    | AbsentTask
    | LineTask
    | BlockTask
    | ServiceTask
    | CommandTask
    | GroupTask
    | UserTask
    | AuthorizedKeyTask
    | SysctlTask
    | CronTask
    | TimerTask
    | FetchTask
    | PortTask
    | PolicyTask
    | RevisionTask
    | UfwTask
    | FirewalldTask
  )

// biome-ignore lint/suspicious/noExplicitAny: a registry holds kinds of every task and state
type AnyTaskKind = TaskKind<any, any>

const load = createRequire(import.meta.url)

// A play has a few of them: each is loaded with its first task.
const kinds: Record<Task['task'], () => AnyTaskKind> = {
  package: lazily(() => (load('./package.ts') as typeof import('./package.ts')).packageTask),
  directory: lazily(() => (load('./directory.ts') as typeof import('./directory.ts')).directoryTask),
  facts: lazily(() => (load('./facts.ts') as typeof import('./facts.ts')).factsTask),
  file: lazily(() => (load('./file.ts') as typeof import('./file.ts')).fileTask),
  template: lazily(() => (load('./template.ts') as typeof import('./template.ts')).templateTask),
  symlink: lazily(() => (load('./symlink.ts') as typeof import('./symlink.ts')).symlinkTask),
  absent: lazily(() => (load('./absent.ts') as typeof import('./absent.ts')).absentTask),
  line: lazily(() => (load('./line.ts') as typeof import('./line.ts')).lineTask),
  block: lazily(() => (load('./block.ts') as typeof import('./block.ts')).blockTask),
  service: lazily(() => (load('./service.ts') as typeof import('./service.ts')).serviceTask),
  command: lazily(() => (load('./command.ts') as typeof import('./command.ts')).commandTask),
  group: lazily(() => (load('./group.ts') as typeof import('./group.ts')).groupTask),
  user: lazily(() => (load('./user.ts') as typeof import('./user.ts')).userTask),
  authorizedKey: lazily(() => (load('./authorized-key.ts') as typeof import('./authorized-key.ts')).authorizedKeyTask),
  sysctl: lazily(() => (load('./sysctl.ts') as typeof import('./sysctl.ts')).sysctlTask),
  cron: lazily(() => (load('./cron.ts') as typeof import('./cron.ts')).cronTask),
  timer: lazily(() => (load('./timer.ts') as typeof import('./timer.ts')).timerTask),
  fetch: lazily(() => (load('./fetch.ts') as typeof import('./fetch.ts')).fetchTask),
  port: lazily(() => (load('./port.ts') as typeof import('./port.ts')).portTask),
  policy: lazily(() => (load('./policy.ts') as typeof import('./policy.ts')).policyTask),
  revision: lazily(() => (load('./revision.ts') as typeof import('./revision.ts')).revisionTask),
  ufw: lazily(() => (load('./ufw.ts') as typeof import('./ufw.ts')).ufwTask),
  firewalld: lazily(() => (load('./firewalld.ts') as typeof import('./firewalld.ts')).firewalldTask),
}

export const kindOf = (task: Task): AnyTaskKind => kinds[task.task]()

export const titleOf = (task: Task): string => kindOf(task).title(task)

export const notifies = (task: Task): string[] => ('notify' in task && task.notify) || []
