import { Problem } from '../../engine/problem.ts'

/** A name that useradd and groupadd take, and that is one word of sh. */
export const accountName = (name: string, of: 'user' | 'group' = 'user'): string => {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name
  throw new Problem(`${JSON.stringify(name)} cannot be the name of a ${of}`, {
    why: 'it is written in lower-case letters, digits, - and _, at most 32, and begins with a letter',
    next: 'correct it where the task is written',
    exit: 2,
  })
}
