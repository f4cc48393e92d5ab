import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { checkOrigin, checkOut, checkUnmoved, readPlan, savedPlanOf, writePlan } from '../../src/cli/plan-file.ts'
import type { Staged } from '../../src/cli/staged.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'
import { from, thing } from '../support/things.ts'
import { stagedWith } from './staged.ts'

const { test, after } = suite('cli: a plan that is saved')
const folder = mkdtempSync(join(tmpdir(), 'plan-file-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'package.json'), '{"version":"1.2.3"}')
const path = join(folder, 'plan.json')

const desired = (live: { id: string; size: number } | null = null) => {
  const net = thing('net/a', { live, change: live ? null : { action: 'create', summary: 'create net a' } })
  return [net, thing('server/b', { want: { net: from(net) } })]
}

const staged = async (things = desired(), argv: string[] = [], context = 'test'): Promise<Staged> => {
  const it = await stagedWith(things, { argv })
  Object.assign(it.session, { root: folder, context: { context, zone: 'fr-par-1' } })
  return it
}

const problemOf = async (run: () => unknown): Promise<Problem> => {
  try {
    await run()
  } catch (error) {
    assert.instance(error, Problem)
    return error as Problem
  }
  throw new Error('it was accepted')
}

test('what is written is read again, by its owner alone, and holds', async () => {
  const it = await staged()
  const plan = savedPlanOf(it)
  writePlan(path, plan)
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.equal(readPlan(path), plan)
  checkOrigin(readPlan(path), it.session)
  checkUnmoved(readPlan(path), it)
  checkOut(path)
  assert.equal(readdirSync(folder).sort(), ['package.json', 'plan.json'], 'nothing half-written is left')
})

test('the world moved: each difference by its id, exit 1', async () => {
  const plan = savedPlanOf(await staged())
  const now = await staged(desired({ id: 'x', size: 1 }))
  const it = await problemOf(() => checkUnmoved(plan, now))
  assert.is(it.exit, 1)
  assert.match(it.why, 'net/a: planned create, now there is one already')
  assert.match(it.next, 'nothing was touched')
})

test('what --prune removes is part of the plan', async () => {
  const server = { kind: 'server', id: 'x', name: 'gone', tagged: true } as const
  const staging = async (argv: string[], orphans: Staged['orphans']) =>
    Object.assign(await staged(desired(), argv), { orphans })
  const plan = savedPlanOf(await staging(['--prune'], [server]))
  assert.equal(plan.prune, ['server/gone x'])
  checkUnmoved(plan, await staging(['--prune'], [server]))
  const why = async (saved: typeof plan, now: Staged) => (await problemOf(() => checkUnmoved(saved, now))).why
  assert.is(await why(plan, await staging(['--prune'], [])), 'server/gone x: not orphaned any more')
  const more = { ...server, id: 'y' }
  assert.is(await why(plan, await staging(['--prune'], [server, more])), 'server/gone y: orphaned since')
  const none = savedPlanOf(await staging([], [server]))
  assert.is(none.prune, null)
  assert.match(await why(none, await staging(['--prune'], [server])), 'the plan removes nothing')
})

test('the inventory changed: said, also where no step shows it', async () => {
  const plan = savedPlanOf(await staged())
  const now = await staged()
  Object.assign(now.session.context, { zone: 'fr-par-2' })
  assert.match((await problemOf(() => checkUnmoved(plan, now))).why, /^the inventory has changed$/)
})

test('made for another project: refused, also where both are empty', async () => {
  const plan = savedPlanOf(await staged())
  const now = Object.assign(await staged(), { projectId: 'b2' })
  const it = await problemOf(() => checkUnmoved(plan, now))
  assert.is(it.exit, 1)
  assert.match(it.why, 'it is for the project b1, this is b2')
})

for (const { when, change, argv, exit, says } of [
  { when: 'another context', change: { context: 'production' }, exit: 1, says: /for the context production/ },
  {
    when: 'another version',
    change: { product: '1.2.2' },
    exit: 1,
    says: /kapsule-egress 1.2.2 made it, this is 1.2.3/,
  },
  { when: 'another --limit', argv: ['--limit', 'client-a'], exit: 2, says: /this run has --limit client-a/ },
  { when: 'other --tags', change: { tags: ['proxy'] }, exit: 2, says: /made with --tags proxy, this run has neither/ },
]) {
  test(`${when} is refused`, async () => {
    const plan = { ...savedPlanOf(await staged()), ...change }
    const { session } = await staged(desired(), argv)
    const it = await problemOf(() => checkOrigin(plan, session))
    assert.is(it.exit, exit)
    assert.match(it.why, says)
  })
}

for (const { when, text, change, says } of [
  { when: 'not JSON', text: 'terraform', says: /not whole JSON/ },
  { when: 'empty', text: '', says: /not whole JSON/ },
  { when: 'JSON of something else', text: '{"format":"other"}', says: /format/ },
  { when: 'of a later format', change: { version: 2 }, says: /version/ },
  { when: 'with a field that this version does not know', change: { more: 1 }, says: /more/ },
  { when: 'with a step that lacks its action', change: { steps: [{ id: 'a' }] }, says: /steps\.0/ },
]) {
  test(`a file that is ${when}: exit 2, and it is not overwritten`, async () => {
    const bad = join(folder, 'bad.json')
    writeFileSync(bad, text ?? JSON.stringify({ ...savedPlanOf(await staged()), ...change }))
    const it = await problemOf(() => readPlan(bad))
    assert.is(it.exit, 2)
    assert.match(it.why, says)
    assert.match((await problemOf(() => checkOut(bad))).message, 'is not overwritten')
    rmSync(bad)
  })
}

test('a torn file is no plan, wherever it was torn', async () => {
  writePlan(path, savedPlanOf(await staged()))
  const text = readFileSync(path, 'utf8').trimEnd()
  const torn = join(folder, 'torn.json')
  for (let at = 0; at < text.length; at += 17) {
    writeFileSync(torn, text.slice(0, at))
    assert.is((await problemOf(() => readPlan(torn))).exit, 2, `cut after ${at}`)
  }
  rmSync(torn)
})

test('a file that is not there, and a folder that cannot be written: exit 2', async () => {
  assert.match((await problemOf(() => readPlan(join(folder, 'none.json')))).message, 'cannot be read')
  const plan = savedPlanOf(await staged())
  assert.match((await problemOf(() => writePlan(join(folder, 'none', 'x.json'), plan))).message, 'cannot be written')
})

test('a secret of the environment does not get into the file', async () => {
  process.env.TEST_ONLY_SECRET = 'hunter2-hunter2'
  try {
    const it = await staged([thing('net/a', { want: { note: 'x hunter2-hunter2 y' } })])
    assert.not.match(JSON.stringify(savedPlanOf(it)), 'hunter2')
    checkUnmoved(savedPlanOf(it), it)
  } finally {
    delete process.env.TEST_ONLY_SECRET
  }
})
