import { EventEmitter } from 'node:events'
import * as assert from 'uvu/assert'
import { createOutput, surviveClosedPipes } from '../../src/cli/output.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: output')

const collected = (json: boolean, env: NodeJS.ProcessEnv = {}) => {
  const text = { out: '', err: '' }
  const into = (name: 'out' | 'err') => ({
    write(it: string | Uint8Array) {
      text[name] += String(it)
      return true
    },
  })
  let clock = Date.parse('2026-01-02T03:04:05Z')
  const tick = () => {
    clock += 10
    return clock
  }
  return { text, output: createOutput({ json, env }, { stdout: into('out'), stderr: into('err') }, tick) }
}

const changes = { create: 1, update: 0, delete: 0, unchanged: 4 }

test('for people: data on stdout, talk on stderr, no events', () => {
  const { output, text } = collected(false)
  output.event('step-done', { step: 'vpc/egress' })
  output.data('a table')
  output.say('hello')
  output.know({ changes, outputs: {} })
  output.summarise('ok')
  assert.equal(text, { out: 'a table\n', err: 'hello\n' })
})

test('with --json: one object a line, and the last is the summary of the Contract', () => {
  const { output, text } = collected(true)
  output.data('a table')
  output.event('step-done', { step: 'vpc/egress' })
  output.know({ context: 'sandbox', run: '7f3a' })
  output.know({ changes, outputs: { cluster_id: 'c' } })
  output.summarise('ok')
  const lines = text.out
    .trimEnd()
    .split('\n')
    .map(it => JSON.parse(it))
  assert.is(lines.length, 2)
  for (const it of lines) assert.match(it.time, /^2026-01-02T03:04:05\.\d{3}Z$/)
  assert.is(lines[0].event, 'step-done')
  const { time: _, durationMs, ...summary } = lines[1]
  assert.type(durationMs, 'number')
  assert.equal(summary, {
    event: 'summary',
    status: 'ok',
    context: 'sandbox',
    run: '7f3a',
    changes,
    outputs: { cluster_id: 'c' },
  })
})

test('a secret goes nowhere, whatever form it takes', () => {
  const secret = 'p"ss word/1234'
  for (const json of [true, false]) {
    const { output, text } = collected(json, {
      SCW_SECRET_KEY: '11111111-2222-4333-8444-555555555555',
      HOME: '/root/home',
    })
    output.hide(secret)
    const base64 = Buffer.from(secret).toString('base64')
    const words = `${secret} ${encodeURIComponent(secret)} ${base64} 11111111-2222-4333-8444-555555555555 /root/home`
    output.event('problem', { deep: { why: words } })
    output.data(words)
    output.say(words)
    const all = text.out + text.err
    for (const it of ['p"ss', 'p\\"ss', 'p%22ss', base64, '11111111'])
      assert.not.ok(all.includes(it), `${it} in ${all}`)
    assert.match(all, '/root/home')
  }
})

test('a reader that went away does not end the run; other errors are not swallowed', () => {
  const stream = new EventEmitter()
  surviveClosedPipes([stream])
  for (const code of ['EPIPE', 'EIO']) stream.emit('error', Object.assign(new Error('gone'), { code }))
  assert.throws(() => stream.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' })), 'full')
})
