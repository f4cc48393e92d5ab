import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { canonical, type Json } from '../engine/json.ts'
import { type Announced, announce, movedSince } from '../engine/plan-file.ts'
import { Problem } from '../engine/problem.ts'
import { createMask, secretsOf } from './mask.ts'
import { idOf } from './owned.ts'
import type { Session } from './session.ts'
import type { Staged } from './staged.ts'
import { pendingOf } from './stages.ts'

const format = 'kapsule-egress plan'

const action = z.enum(['create', 'update', 'replace', 'delete'])
const schema = z.strictObject({
  format: z.literal(format),
  /** Of this format, and of the product. */
  version: z.literal(1),
  product: z.string(),
  context: z.string(),
  /** At Scaleway: the same inventory may be meant for another one, as credentials choose it. */
  project: z.string(),
  /** A hash of all that the inventory says. */
  inventory: z.string(),
  time: z.string(),
  limit: z.string().nullable(),
  tags: z.array(z.string()).nullable(),
  /** Named with --replace when it was made. */
  replace: z.array(z.string()),
  /** What --prune would remove, as kind/name and id; null: it was not asked for. */
  prune: z.array(z.string()).nullable(),
  steps: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      want: z.json(),
      live: z.string().nullable(),
      change: z.looseObject({ action, summary: z.string() }).nullable(),
      unknown: z.array(z.string()),
      madeAgain: z.boolean(),
    }),
  ),
})

export type SavedPlan = Omit<z.infer<typeof schema>, 'steps'> & { steps: Announced[] }

/** Everything that decides what a deploy does, without secrets. */
export const savedPlanOf = (staged: Staged): SavedPlan => {
  const { flags } = staged.session
  const plan: SavedPlan = {
    ...originOf(staged.session),
    format,
    version: 1,
    project: staged.projectId,
    time: new Date().toISOString(),
    limit: flags.limit ?? null,
    tags: flags.tags ?? null,
    replace: flags.replace,
    prune: flags.prune ? staged.orphans.map(it => `${idOf(it)} ${it.id}`).sort() : null,
    steps: announce(pendingOf(staged)),
  }
  const { hide, mask } = createMask()
  hide(...secretsOf(process.env))
  return JSON.parse(mask(JSON.stringify(plan))) as SavedPlan
}

const originOf = ({ context, root }: Session) => ({
  product: String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
  context: context.context,
  inventory: createHash('sha256')
    .update(canonical(context as unknown as Json))
    .digest('hex'),
})

/** Readable for its owner alone, and never half there. */
export const writePlan = (path: string, plan: SavedPlan): void => {
  const temporary = `${resolve(path)}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(temporary, `${JSON.stringify(plan, null, 1)}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, resolve(path))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw unusable(path, 'cannot be written', String((error as Error).message), 'name a file in a folder you may write')
  }
}

/** Another plan may be overwritten, anything else that stands there is more likely a slip of the hand. */
export const checkOut = (path: string): void => {
  if (!existsSync(path)) return
  try {
    readPlan(path)
  } catch {
    throw unusable(path, 'is not overwritten', 'what stands there is no plan', 'name another file with --out')
  }
}

export const readPlan = (path: string): SavedPlan => {
  const again = 'save one with deploy.mjs --check --out FILE'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw unusable(path, 'cannot be read', String((error as Error).message), again)
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw unusable(path, 'is no plan', `it is not whole JSON: ${(error as Error).message}`, again)
  }
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data as SavedPlan
  const [first] = parsed.error.issues
  const why = `${first!.path.join('.') || 'the file'}: ${first!.message}`
  throw unusable(path, 'is no plan of this version', why, again)
}

/** Before anything is looked at: is this a plan for this context, inventory and part of it? */
export const checkOrigin = (saved: SavedPlan, { flags, ...session }: Session): void => {
  const now = originOf({ flags, ...session })
  const given = (limit: string | null, tags: string[] | null) =>
    [limit === null ? '' : `--limit ${limit}`, tags ? `--tags ${tags.join(',')}` : ''].join(' ').trim() || 'neither'
  const [then, today] = [given(saved.limit, saved.tags), given(flags.limit ?? null, flags.tags ?? null)]
  if (then !== today)
    throw new Problem('this plan is for another part', {
      why: `it was made with ${then.replace('neither', 'neither --limit nor --tags')}, this run has ${today}`,
      next: 'say the same --limit and --tags as then; nothing was touched',
      exit: 2,
    })
  if (saved.context !== now.context) throw notThis(`it is for the context ${saved.context}, this is ${now.context}`)
  if (saved.product !== now.product)
    throw notThis(`kapsule-egress ${saved.product} made it, this is ${now.product}: it may plan differently`)
}

/** After looking: is everything still as the plan announced it? */
export const checkUnmoved = (saved: SavedPlan, staged: Staged): void => {
  const now = savedPlanOf(staged)
  if (saved.project !== now.project) throw notThis(`it is for the project ${saved.project}, this is ${now.project}`)
  const lines = movedSince(saved.steps, now.steps)
  lines.push(...differingPrune(saved.prune, now.prune))
  if (saved.inventory !== now.inventory) lines.unshift('the inventory has changed')
  if (lines.length > 0) throw notThis(lines.join('\n'))
}

const differingPrune = (then: readonly string[] | null, now: readonly string[] | null): string[] => {
  if (!then) return now ? ['--prune: the plan removes nothing'] : []
  return [
    ...then.filter(it => !now?.includes(it)).map(it => `${it}: not orphaned any more`),
    ...(now ?? []).filter(it => !then.includes(it)).map(it => `${it}: orphaned since`),
  ]
}

const notThis = (why: string) =>
  new Problem('the saved plan does not hold any more', {
    why,
    next: 'look again with deploy.mjs --check --out FILE, and apply that one; nothing was touched',
  })

const unusable = (path: string, what: string, why: string, next: string) =>
  new Problem(`${path} ${what}`, { why, next: `${next}; nothing was touched`, exit: 2 })
