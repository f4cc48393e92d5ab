import { posix } from 'node:path'
import { Problem } from '../engine/problem.ts'
import { type Task, titleOf } from './tasks/all.ts'

/**
 * Refuses paths, rights and times that no host could have, before it hears of them. A path has one spelling: what
 * guards /etc/ssh, and what keeps two tasks from one file, goes by it. A time that is no number would never be over.
 */
export const refuseOddWords = (tasks: readonly Task[]): void => {
  refuseRivals(tasks)
  for (const task of tasks) {
    if ('path' in task) refusePath(task.path)
    refuseNumbers(task)
    if ('mode' in task) {
      const { path, mode, owner, group } = task
      if (!/^[0-7]{3,4}$/.test(mode)) throw odd(path, `its mode ${show(mode)} is not three or four octal digits`)
      for (const it of [owner, group])
        if (!/^\w[\w.-]*\$?$/.test(it)) throw odd(path, `${show(it)} is neither a name nor a number of an account`)
    }
  }
}

const whole = new Set<Task['task']>(['file', 'template', 'fetch', 'symlink', 'absent', 'directory'])

/** What says all that is at a path, and another task that says something else: neither would ever hold. */
const refuseRivals = (tasks: readonly Task[]) => {
  const first = new Map<string, Task>()
  for (const task of tasks) if ('path' in task && whole.has(task.task) && !task.onlyOn) first.set(task.path, task)
  for (const task of tasks) {
    const other = 'path' in task && !task.onlyOn ? first.get(task.path) : undefined
    if (other && other.task !== task.task)
      throw odd(titleOf(task), `a ${other.task} task and a ${task.task} task say what is there, so neither would hold`)
  }
}

const refusePath = (path: string) => {
  if (path.includes('\0')) throw odd(path, 'its path has a NUL byte')
  const plain = posix.normalize(path).replace(/(?<=.)\/$/, '')
  if (!path.startsWith('/')) throw odd(path, 'its path does not begin with /')
  if (path !== plain) throw odd(path, `its path is another way to write ${plain}`)
}

const refuseNumbers = (task: Task) => {
  const { retries = 0 } = task
  if (!Number.isInteger(retries) || retries < 0) throw odd(titleOf(task), 'its retries are no whole number')
  for (const [word, value] of Object.entries(task))
    if (/seconds$/i.test(word) && value !== undefined) {
      const none = /^(timeout|confirm)Seconds$/.test(word)
      if (!Number.isFinite(value) || value < 0 || (none && value === 0))
        throw odd(titleOf(task), `its ${word} are not a number${none ? ' above 0' : ''}`)
    }
}

const show = (text: string) => JSON.stringify(text.slice(0, 80))

const odd = (what: string, why: string) =>
  new Problem(`the task for ${show(what)} cannot be done`, {
    why,
    next: 'correct it where the task is written',
    exit: 2,
  })
