import { type Edit, editKind } from './edit.ts'

/** `replaces` are beginnings of lines, as plain text, e.g. `PermitRootLogin ` and `#PermitRootLogin `. */
export type LineTask = {
  task: 'line'
  path: string
  line: string
  replaces?: string[]
  /** false: no such line, and none that begins so. */
  present?: boolean
  check?: string
  notify?: string[]
}

const edit = ({ line, replaces = [], present = true }: LineTask): Edit => ({
  matches: [{ is: line }, ...replaces.map(it => ({ starts: it }))],
  put: present ? [line] : [],
})

/** One line is in a file, once; it takes the place of the first it replaces, and the others go. */
export const lineTask = editKind<LineTask>(({ path, line }) => `line ${JSON.stringify(line)} in ${path}`, edit)
