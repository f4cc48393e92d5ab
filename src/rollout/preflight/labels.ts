import type { LabelSelector } from '../workload.ts'
import type { Labels } from './sight.ts'

/** As the API server decides it. An empty selector has everything; none has nothing. */
export const matches = (selector: LabelSelector | undefined, labels: Labels): boolean => {
  if (!selector) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      if (operator === 'In') return value !== undefined && values.includes(value)
      return value === undefined || !values.includes(value)
    })
  )
}

/** What a selector makes of pods whose labels change: they come under it, or get out of it. */
export const turn = (
  selector: LabelSelector | undefined,
  { before, after }: { before: Labels; after: Labels },
): 'gains' | 'loses' | null => {
  const [was, is] = [matches(selector, before), matches(selector, after)]
  if (was === is) return null
  return is ? 'gains' : 'loses'
}

/** Can a label of that key turn it at all? */
export const looksAt = (selector: LabelSelector | undefined, key: string): boolean =>
  selector?.matchLabels?.[key] !== undefined || (selector?.matchExpressions?.some(it => it.key === key) ?? false)
