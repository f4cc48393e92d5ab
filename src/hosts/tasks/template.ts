import type { Json } from '../../engine/json.ts'
import { quote } from '../shell.ts'
import { render } from '../template.ts'
import { type FileState, type FileTask, fileTask, lookFile, parseFile } from './file.ts'
import type { TaskKind } from './kind.ts'

/** A file whose content is a template of templates/, e.g. `etc/squid/squid.conf`. */
export type TemplateTask = Omit<FileTask, 'task' | 'content'> & {
  task: 'template'
  template: string
  data: Record<string, Json>
}

/** The file it stands for. With a facts task in the play, the template reads what the host said as `facts`. */
export const fileOfTemplate = (
  { task: _, template, data, ...rest }: TemplateTask,
  facts?: Json,
  draw = render,
): FileTask => ({
  ...rest,
  task: 'file',
  content: draw(template, facts === undefined ? data : { ...data, facts }),
})

const bare = ({ task: _, template: _template, data: _data, ...rest }: TemplateTask): FileTask => ({
  ...rest,
  task: 'file',
  content: '',
})

/** Rendered here, after the look: the play puts the file in its place (settle.ts), so this only looks and restores. */
export const templateTask: TaskKind<TemplateTask, FileState> = {
  title: task => fileTask.title(bare(task)),
  look: task => lookFile(quote(bare(task).path)),
  parse: parseFile,
  diff: (task, state) => fileTask.diff(fileOfTemplate(task), state),
  change: (task, state) => fileTask.change(fileOfTemplate(task), state),
  restore: (task, before) => fileTask.restore(bare(task), before),
  same: (before, now, task) => fileTask.same(before, now, bare(task)),
}
