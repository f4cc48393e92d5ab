import { type AbsentTask, absentTask } from './absent.ts'
import { type AuthorizedKeyTask, authorizedKeyTask } from './authorized-key.ts'
import { type BlockTask, blockTask } from './block.ts'
import { type CommandTask, commandTask } from './command.ts'
import { type CronTask, cronTask } from './cron.ts'
import { type DirectoryTask, directoryTask } from './directory.ts'
import { type FactsTask, factsTask } from './facts.ts'
import { type FetchTask, fetchTask } from './fetch.ts'
import { type FileTask, fileTask } from './file.ts'
import { type FirewalldTask, firewalldTask } from './firewalld.ts'
import { type GroupTask, groupTask } from './group.ts'
import type { Extras, TaskKind } from './kind.ts'
import { type LineTask, lineTask } from './line.ts'
import { type PackageTask, packageTask } from './package.ts'
import { type PolicyTask, policyTask } from './policy.ts'
import { type PortTask, portTask } from './port.ts'
import { type ServiceTask, serviceTask } from './service.ts'
import { type SymlinkTask, symlinkTask } from './symlink.ts'
import { type SysctlTask, sysctlTask } from './sysctl.ts'
import { type TemplateTask, templateTask } from './template.ts'
import { timerTask } from './timer.ts'
import type { TimerTask } from './timer-units.ts'
import { ufwTask } from './ufw.ts'
import type { UfwTask } from './ufw-task.ts'
import { type UserTask, userTask } from './user.ts'

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
    | UfwTask
    | FirewalldTask
  )

// biome-ignore lint/suspicious/noExplicitAny: a registry holds kinds of every task and state
type AnyTaskKind = TaskKind<any, any>

const kinds: Record<Task['task'], AnyTaskKind> = {
  package: packageTask,
  directory: directoryTask,
  facts: factsTask,
  file: fileTask,
  template: templateTask,
  symlink: symlinkTask,
  absent: absentTask,
  line: lineTask,
  block: blockTask,
  service: serviceTask,
  command: commandTask,
  group: groupTask,
  user: userTask,
  authorizedKey: authorizedKeyTask,
  sysctl: sysctlTask,
  cron: cronTask,
  timer: timerTask,
  fetch: fetchTask,
  port: portTask,
  policy: policyTask,
  ufw: ufwTask,
  firewalld: firewalldTask,
}

export const kindOf = (task: Task): AnyTaskKind => kinds[task.task]

export const titleOf = (task: Task): string => kindOf(task).title(task)

export const notifies = (task: Task): string[] => ('notify' in task && task.notify) || []
