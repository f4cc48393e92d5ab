import * as assert from 'uvu/assert'
import { checkReplace, guardEach, refuseReplacements } from '../../src/cli/replacements.ts'
import type { Change } from '../../src/engine/kind.ts'
import { Problem } from '../../src/engine/problem.ts'
import { suite } from '../support/suite.ts'
import { from, thing } from '../support/things.ts'
import { stagedWith } from './staged.ts'

const { test } = suite('cli: replacements')

const there = { live: { id: 'x' } }
const replace: Change = { action: 'replace', summary: 'replace it', why: 'its range is fixed' }

const moved = () => {
  const net = thing('private-network/egress', { ...there, holds: true, change: replace })
  const server = thing('server/proxy', { ...there, want: { net: from(net) } })
  const play = thing('host-play/proxy', { looksThroughParents: true, want: { host: from(server), tasks: [] } })
  const key = thing('ssh-key/operator', { ...there, change: replace })
  return [net, server, play, key]
}

const problemOf = async (run: () => unknown): Promise<Problem> => {
  try {
    run()
  } catch (error) {
    assert.instance(error, Problem)
    return error as Problem
  }
  throw new Error('it was accepted')
}

test('what others live in is replaced only by name; the problem lists what goes, and the command', async () => {
  const staged = await stagedWith(moved())
  const it = await problemOf(() => refuseReplacements(staged, []))
  assert.is(it.exit, 1)
  assert.is(it.message, 'private-network/egress can only be replaced with all that lives in it')
  assert.match(it.why, 'its range is fixed\ntaken down and made again: server/proxy\ngoes with it: host-play/proxy')
  assert.match(it.next, 'npx zx scripts/deploy.mjs --context test --replace private-network/egress')
  refuseReplacements(staged, ['private-network/egress'])
})

test('what others made in it is never taken down: nothing is begun, whatever is named', async () => {
  const net = thing('private-network/egress', { ...there, holds: true, change: replace })
  const theirs = thing('existing-cluster/theirs', { ...there, want: { net: from(net) } })
  delete (theirs.kind as { undo?: unknown }).undo // as a Kind of what exists has none
  const staged = await stagedWith([net, theirs])
  const it = await problemOf(() => refuseReplacements(staged, ['private-network/egress']))
  assert.is(it.why, 'existing-cluster/theirs lives in private-network/egress')
})

test('what holds nothing needs no name', async () => {
  refuseReplacements(await stagedWith([thing('ssh-key/operator', { ...there, change: replace })]), [])
})

for (const id of ['private-network/egress', 'server/proxy', 'ssh-key/operator']) {
  test(`${id} is protected: no flag replaces it`, async () => {
    const staged = await stagedWith(moved(), { protect: [id] })
    const it = await problemOf(() => refuseReplacements(staged, ['private-network/egress']))
    assert.is(it.message, `${id} is protected`)
    assert.match(it.next, 'protect: true')
  })
}

test('what shows only while it is applied is asked again, right before it is changed', async () => {
  const later = await stagedWith(moved())
  const [net, server, , key] = moved().map(it => later.plan.seen.get(it.id)!)
  assert.match((await problemOf(() => guardEach(new Set(), [])(net!))).message, 'would have to be replaced')
  assert.match((await problemOf(() => guardEach(new Set(['ssh-key/operator']), [])(key!))).message, 'is protected')
  const allowed = guardEach(new Set(['gateway/egress']), ['private-network/egress'])
  for (const it of [net, server, key]) allowed(it!)
})

test('a part of the context cannot replace what all of it lives in', async () => {
  const named = ['private-network/egress']
  for (const options of [{ argv: ['--tags', 'private-network'] }, { stages: ['gateway'] as const }]) {
    const staged = await stagedWith(moved(), options)
    const it = await problemOf(() => refuseReplacements(staged, named))
    assert.match(it.message, 'takes the whole context')
    assert.is(it.exit, 2)
  }
})

test('orphans would keep the old one alive: they go first or nothing does', async () => {
  const staged = await stagedWith(moved())
  staged.orphans = [{ kind: 'server', id: 'x', name: 'gone', tagged: true }]
  const it = await problemOf(() => refuseReplacements(staged, ['private-network/egress']))
  assert.match(it.why, 'server/gone')
  staged.session.flags.prune = true
  refuseReplacements(staged, ['private-network/egress'])
})

test('a name that nothing has is a slip', async () => {
  const staged = await stagedWith(moved())
  const it = await problemOf(() => checkReplace(staged, ['private-network/egres']))
  assert.match(it.next, 'did you mean private-network/egress?')
  assert.is(it.exit, 2)
  checkReplace(staged, ['private-network/egress'])
})
