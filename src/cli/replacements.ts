import { stageNames } from '../../playbooks/site.ts'
import type { Change } from '../engine/kind.ts'
import { nearest } from '../engine/nearest.ts'
import { Problem } from '../engine/problem.ts'
import { type Replacement, replacementsIn } from '../engine/replacement.ts'
import { idOf } from './owned.ts'
import type { Staged } from './staged.ts'
import { pendingOf } from './stages.ts'

/** What this command would replace of its own accord. */
export const replacementsOf = (staged: Staged): Replacement[] => {
  const pending = new Set(pendingOf(staged).map(it => it.desired.id))
  return replacementsIn(staged.plan.seen).filter(it => pending.has(it.id))
}

/** Refuses, before anything is written, to replace what is protected, and what others live in unless it is named. */
export const refuseReplacements = (staged: Staged, allowed: readonly string[]): void => {
  refuseProtected(staged)
  refuseAdopted(staged)
  const unnamed = replacementsOf(staged).filter(it => it.holds && !allowed.includes(it.id))
  if (unnamed.length > 0) throw notNamed(staged, unnamed)
  if (!replacementsOf(staged).some(it => it.holds)) return
  refusePart(staged)
  refuseOrphans(staged)
}

/**
 * The same, asked of each thing right before it is changed: what could not be seen before others were made may turn out
 * to need a replacement that nobody has agreed to.
 */
export const guardEach =
  (protectedIds: ReadonlySet<string>, allowed: readonly string[]): NonNullable<Staged['admit']> =>
  ({ desired, step }) => {
    if (!step || !['replace', 'delete'].includes(step.change.action)) return
    const { id, change } = step
    if (protectedIds.has(id)) throw protectedOnes([{ id, change }])
    if (!desired.kind.holds || allowed.includes(id)) return
    throw new Problem(`${id} would have to be replaced, with all that lives in it`, {
      why: `that shows only now: ${change.why ?? change.summary}`,
      next: `look with deploy.mjs --check, then agree with deploy.mjs --replace ${id}; what was done before stands`,
    })
  }

/** An id that the plan does not know is a slip of the hand. */
export const checkReplace = ({ plan }: Staged, named: readonly string[]): void => {
  const ids = [...plan.seen.keys()]
  for (const id of named) {
    if (plan.seen.has(id)) continue
    const holding = ids.filter(it => plan.seen.get(it)!.desired.kind.holds)
    throw new Problem(`--replace ${id}: there is no such thing in this plan`, {
      why: `others live in ${holding.join(', ') || 'nothing of this context'}`,
      next: `${hint(nearest(id, ids))}nothing was touched`,
      exit: 2,
    })
  }
}

const hint = (near: string | undefined) => (near ? `did you mean ${near}? ` : '')

/** What somebody else made is never taken down, not even to make room for what is ours. */
const refuseAdopted = (staged: Staged) => {
  const inTheWay = replacementsOf(staged).flatMap(({ id, takesDown }) =>
    takesDown.filter(it => !staged.plan.seen.get(it)!.desired.kind.undo).map(it => `${it} lives in ${id}`),
  )
  if (inTheWay.length === 0) return
  throw new Problem('what others made is in the way of a replacement', {
    why: inTheWay.join('\n'),
    next: 'put the old values back into the inventory, or no longer adopt it; nothing was touched',
  })
}

const refuseProtected = (staged: Staged) => {
  const lost = pendingOf(staged).flatMap(({ step }) =>
    step && ['replace', 'delete'].includes(step.change.action) && staged.site.protectedIds.has(step.id) ? [step] : [],
  )
  if (lost.length > 0) throw protectedOnes(lost)
}

const protectedOnes = (lost: { id: string; change: Change }[]) =>
  new Problem(`${lost.map(it => it.id).join(', ')} ${lost.length > 1 ? 'are' : 'is'} protected`, {
    why: lost.map(({ id, change }) => `${id} would be replaced: ${change.why ?? change.summary}`).join('\n'),
    next: 'put the old values back into the inventory, or take protect: true out of it; it was not touched',
  })

const notNamed = ({ session }: Staged, all: Replacement[]) => {
  const flag = session.flags.context === 'sandbox' ? '' : ` --context ${session.flags.context}`
  return new Problem(`${all.map(it => it.id).join(', ')} can only be replaced with all that lives in it`, {
    why: all
      .flatMap(({ id, why, takesDown, affects }) => [
        `${id}: ${why}`,
        `taken down and made again: ${takesDown.join(', ') || 'nothing stands in it'}`,
        ...inside(affects.filter(it => !takesDown.includes(it))),
      ])
      .join('\n'),
    next: [
      'put the old values back into the inventory; or, with an outage, say',
      `npx zx scripts/deploy.mjs${flag} --replace ${all.map(it => it.id).join(',')}`,
      'nothing was touched',
    ].join('\n'),
  })
}

const inside = (ids: string[]) => (ids.length > 0 ? [`goes with it: ${ids.join(', ')}`] : [])

/** Nobody wants them, so nothing takes them down: they would keep the old one alive. */
const refuseOrphans = ({ session: { flags }, orphans }: Staged) => {
  if (flags.prune || orphans.length === 0) return
  throw new Problem('orphaned resources may live in what is to be replaced', {
    why: `not in the inventory any more: ${orphans.map(idOf).join(', ')}`,
    next: 'add --prune to remove them first; nothing was touched',
  })
}

/** A part knows only a part of what lives in it. */
const refusePart = ({ stages, session: { flags } }: Staged) => {
  const part = flags.limit !== undefined ? '--limit' : flags.tags ? '--tags' : undefined
  if (part === undefined && stages.length === stageNames.length) return
  throw new Problem('replacing what others live in takes the whole context', {
    why: `${part ?? 'a stage'} chooses a part, and what is left out lives in it too`,
    next: `${part ? `leave out ${part}` : 'use deploy.mjs'}; nothing was touched`,
    exit: 2,
  })
}
