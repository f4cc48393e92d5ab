import { posix } from 'node:path'
import { Problem } from '../engine/problem.ts'
import type { Task } from './tasks/all.ts'

/**
 * Refuses paths and rights that no host could have, before it hears of them. A path has one spelling: what guards
 * /etc/ssh, and what keeps two tasks from one file, goes by it.
 */
export const refuseOddWords = (tasks: readonly Task[]): void => {
  for (const task of tasks) {
    if ('path' in task) refusePath(task.path)
    if ('mode' in task) {
      const { path, mode, owner, group } = task
      if (!/^[0-7]{3,4}$/.test(mode)) throw odd(path, `its mode ${show(mode)} is not three or four octal digits`)
      for (const it of [owner, group])
        if (!/^\w[\w.-]*\$?$/.test(it)) throw odd(path, `${show(it)} is neither a name nor a number of an account`)
    }
  }
}

const refusePath = (path: string) => {
  if (/[\u0000-\u001f\u007f]/.test(path)) throw odd(path, 'its path has a line break or control character')
  const plain = posix.normalize(path).replace(/(?<=.)\/$/, '')
  if (!path.startsWith('/')) throw odd(path, 'its path does not begin with /')
  if (path !== plain) throw odd(path, `its path is another way to write ${plain}`)
}

const show = (text: string) => JSON.stringify(text.slice(0, 80))

const odd = (path: string, why: string) =>
  new Problem(`a task for ${show(path)} cannot be done`, { why, next: 'correct it where the task is written', exit: 2 })
