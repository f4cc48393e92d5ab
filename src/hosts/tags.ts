import type { HostPlay } from './play.ts'

/** Every tag that a task of a play answers to. */
export const tagsIn = ({ tasks }: Pick<HostPlay, 'tasks'>): string[] => [
  ...new Set(tasks.flatMap(it => it.tags ?? []).filter(it => it !== always)),
]

/** The play with only the tasks that carry one of the tags, in their order, and those that are never left out, such as facts. */
export const withTags = <T extends Pick<HostPlay, 'tasks'>>(play: T, tags: readonly string[]): T => ({
  ...play,
  tasks: play.tasks.filter(it => it.task === 'facts' || it.tags?.some(tag => tag === always || tags.includes(tag))),
})

const always = 'always'
