import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { newRunId, openJournal, readJournals, runsDirectory } from '../../src/engine/journal.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('engine: journal')
const directory = mkdtempSync(join(tmpdir(), 'journal-'))
after(() => rmSync(directory, { recursive: true }))

test('what was recorded is read back in order of runs; a torn last line is no entry', () => {
  const second = openJournal(directory, newRunId(new Date('2026-01-02T00:00:00Z')))
  second.record({ event: 'done', step: 'b', now: { id: '1' } })
  const first = openJournal(directory, newRunId(new Date('2026-01-01T00:00:00Z')))
  first.record({ event: 'run-started', command: 'deploy', context: 'sandbox' })
  first.close()
  second.close()
  const torn = join(runsDirectory(directory), `${second.run}.jsonl`)
  appendFileSync(torn, '{"event":"started","st')
  assert.equal(
    readJournals(directory).map(it => it.event),
    ['run-started', 'done'],
  )
  assert.is(statSync(torn).mode & 0o777, 0o600)
})

test('what may wait for the disk is in its place all the same', () => {
  const state = join(directory, 'later')
  const journal = openJournal(state, '1')
  for (const [topic, later] of Object.entries({ a: true, b: false, c: true }))
    journal.record({ event: 'note', topic, data: null }, { later })
  const topics = readJournals(state).map(it => (it.event === 'note' ? it.topic : ''))
  journal.close()
  assert.equal(topics, ['a', 'b', 'c'])
})

test('a run id is never used twice', () => {
  const journal = openJournal(directory, 'same')
  journal.close()
  assert.throws(() => openJournal(directory, 'same'), /EEXIST/)
})

test('no journals: an empty history', () => {
  assert.equal(readJournals(join(directory, 'nowhere')), [])
})
