import type { Say } from './say.ts'
import { builtInNames } from './schema-gates.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

type Words = { count?: number; failureLimit?: number; consecutiveSuccessLimit?: number }

/** A gate passes on passes alone: limits under which failures would do are a mistake. */
export const checkGates = ({ rollout }: Parts<TenantFile>, say: Say) => {
  for (const [name, words] of Object.entries(rollout?.builtIn ?? {}))
    checkLimits(['rollout', 'builtIn', name], (words ?? {}) as Words, usualCount[name] ?? 1, say)
  const names: string[] = [...builtInNames]
  for (const [at, gate] of (rollout?.gates ?? []).entries()) {
    if (!gate) continue
    const path = ['rollout', 'gates', at]
    checkLimits(path, gate as Words, 1, say)
    checkKind(path, gate, say)
    if (gate.name === undefined) continue
    if (names.includes(gate.name))
      say([...path, 'name'], `gate ${gate.name} is there twice`, 'it is told by its name', 'choose another')
    names.push(gate.name)
  }
}

const kinds = ['http', 'tcp', 'prometheus', 'command', 'log'] as const

/** Words that say something about other words. */
const belongs = { status: ['http'], from: ['http', 'tcp'], env: ['command'], timeout: ['command'] } as const

const checkKind = (path: (string | number)[], gate: object, say: Say) => {
  const said = kinds.filter(it => it in gate)
  if (said.length !== 1) {
    const what = said.length === 0 ? 'this gate asks nothing' : `this gate asks ${said.length} things`
    say(path, what, `a gate has one of ${kinds.join(', ')}`, said.length === 0 ? 'add one' : 'make a gate of each')
    return
  }
  for (const [word, of] of Object.entries(belongs))
    if (word in gate && !of.some(it => said.includes(it as (typeof kinds)[number])))
      say([...path, word], `${word} says nothing here`, `it belongs to ${of.join(' and ')}`, 'take it out')
}

/** Built-in gates that measure more than once; the rest measure once. A test holds this to src/rollout/gates. */
export const usualCount: Record<string, number> = {
  'pods ready and not restarting': 3,
  "egress address is the tenant's own": 2,
  'the partner lets it in': 6,
  'no program goes past the proxy': 3,
}

const checkLimits = (path: (string | number)[], words: Words, usual: number, say: Say) => {
  const { count = usual, failureLimit = 0, consecutiveSuccessLimit = 0 } = words
  if (consecutiveSuccessLimit > count) {
    const why = `only ${count} measurements count`
    say([...path, 'consecutiveSuccessLimit'], 'so many passes in a row never come', why, 'raise count')
  } else if (consecutiveSuccessLimit === 0 && (failureLimit < 0 || failureLimit >= count)) {
    const why = `${count} measurements count, and all of them could fail`
    const next = `write a failureLimit from 0 to ${count - 1}, raise count, or ask for consecutiveSuccessLimit`
    say([...path, 'failureLimit'], 'this gate would pass on failures alone', why, next)
  }
}
