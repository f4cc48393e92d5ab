import { type Edit, editKind } from './edit.ts'

/** Lines between two comments that carry the name. `comment` begins a comment in that file. */
export type BlockTask = {
  task: 'block'
  path: string
  name: string
  lines: string[]
  comment?: string
  /** false: no such block. */
  present?: boolean
  check?: string
  notify?: string[]
}

const edit = ({ name, lines, comment = '#', present = true }: BlockTask): Edit => {
  const [begin, end] = [`${comment} BEGIN kapsule-egress: ${name}`, `${comment} END kapsule-egress: ${name}`]
  return { matches: [{ is: begin }], until: end, put: present ? [begin, ...lines, end] : [] }
}

/** A block of lines is in a file that others write too; all that is between its comments is ours. */
export const blockTask = editKind<BlockTask>(({ path, name }) => `block ${name} in ${path}`, edit)
