import type { Check, Finding } from './finding.ts'
import { mayMakePods } from './sight.ts'

/** An image without curl is asked by a pod that stands in: one has to be allowed, or gates never know anything. */
export const tools: Check = sight =>
  sight.moving.flatMap(({ name, lacksCurl, standInRefused }): Finding[] => {
    if (!lacksCurl) return []
    const what = 'its image has no curl for the gates'
    const stop = (why: string, next: string): Finding[] => [{ level: 'stop', workload: name, what, why, next }]
    const tool = 'or put curl into the image'
    if (!mayMakePods(sight)) return stop('a pod would stand in, and this user may not create pods', `let it, ${tool}`)
    if (standInRefused) return stop(`a pod would stand in, and is refused: ${standInRefused.why}`, `let it be, ${tool}`)
    const why = 'a pod of ours with the same labels and node asks for it'
    return [{ level: 'note', workload: name, what, why, next: 'nothing: it is removed when the gates are through' }]
  })
