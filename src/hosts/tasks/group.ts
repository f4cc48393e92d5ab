import { accountName } from './account-name.ts'
import { fields, type TaskKind } from './kind.ts'

/** Who is in it is said by `user` tasks, after this one. */
export type GroupTask = { task: 'group'; name: string; gid?: number; system?: boolean }
export type GroupState = null | { gid: string }

const title = ({ name }: GroupTask) => `group ${name}`

/** A group of the host's own files. One that is not wanted any more is left: files would keep its number. */
export const groupTask: TaskKind<GroupTask, GroupState> = {
  title,
  look: ({ name }) => `if e=$(getent group ${accountName(name, 'group')}); then echo "group $e"; fi`,
  parse(output) {
    const { group } = fields(output)
    return group === undefined ? null : { gid: group.split(':')[2] ?? '' }
  },
  diff(task, state) {
    const gid = task.gid?.toString()
    if (!state) return { name: title(task), action: 'create', diff: gid ? `gid: ${gid}` : 'as the system makes groups' }
    if (gid === undefined || gid === state.gid) return null
    return { name: title(task), action: 'update', diff: `gid: ${state.gid} -> ${gid}` }
  },
  change({ name, gid, system }, state) {
    const [number, word] = [gid === undefined ? '' : `-g ${Math.trunc(gid)} `, accountName(name, 'group')]
    return state ? `groupmod ${number}-- ${word}` : `groupadd ${system ? '-r ' : ''}${number}-- ${word}`
  },
  restore({ name }, before) {
    const word = accountName(name, 'group')
    if (before) return `groupmod -g ${before.gid} -- ${word}`
    return `if getent group ${word} >/dev/null; then groupdel -- ${word}; fi`
  },
  same: (before, now) => before?.gid === now?.gid,
}
