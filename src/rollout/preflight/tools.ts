import type { Check, Finding } from './finding.ts'
import { mayMakePods } from './sight.ts'

/**
 * The policy is tried by a pod of ours before a canary moves, and an image without curl is asked by one that stands in:
 * these have to be allowed, or gates never know anything.
 */
export const tools: Check = sight =>
  sight.moving.flatMap(({ name, lacksCurl, standInRefused }): Finding[] => {
    if (!lacksCurl && standInRefused)
      return [{ level: 'stop', workload: name, what: 'the pod that tries the policy is refused', why: standInRefused.why, next: 'let it be: before anything moves it shows what the label does, and then it goes' }] // biome-ignore format: a row
    if (!lacksCurl) return []
    const what = 'its image has no curl for the gates'
    const stop = (why: string, next: string): Finding[] => [{ level: 'stop', workload: name, what, why, next }]
    const tool = 'or put curl into the image'
    if (!mayMakePods(sight)) return stop('a pod would stand in, and this user may not create pods', `let it, ${tool}`)
    if (standInRefused) return stop(`a pod would stand in, and is refused: ${standInRefused.why}`, `let it be, ${tool}`)
    const why = 'a pod of ours with the same labels and node asks for it'
    return [{ level: 'note', workload: name, what, why, next: 'nothing: it is removed when the gates are through' }]
  })
