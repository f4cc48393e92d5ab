import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { mermaid } from '../../src/cli/graph.ts'
import { page, partsOfPage, redrawn } from '../../src/cli/provisioning-page.ts'
import { timings } from '../../src/cli/timings.ts'
import { scalewayKinds } from '../../src/scaleway/kinds.ts'
import { suite } from '../support/suite.ts'
import { from, thing } from '../support/things.ts'

const { test } = suite('docs/provisioning.md')

const net = thing('private-net/n', { holds: true })
const both = thing('server/both', { want: { net: from(net) }, after: [net] })
const later = thing('server/later', { want: { net: from(net) } })
const last = thing('last/l', { after: [both, later] })

test('a node a kind with how many, a full arrow for a value, a dashed one for order alone', () => {
  assert.is(
    mermaid([
      { name: 'one', desired: [net] },
      { name: 'two', desired: [both, later, last] },
    ]),
    [
      '```mermaid',
      'flowchart LR',
      '  subgraph stage_one["stage one"]',
      '    private_net[["private-net"]]',
      '  end',
      '  subgraph stage_two["stage two"]',
      '    server["server ×2"]',
      '    last["last"]',
      '  end',
      '  private_net --> server',
      '  server -.-> last',
      '```',
    ].join('\n'),
  )
})

test('what takes time, and the longest way through making all of it', () => {
  const slow = thing('slow/s', { want: { net: from(net) }, takes: { create: 90, delete: 5 } })
  const end = thing('end/e', { after: [slow, both], takes: { create: 10 } })
  assert.is(
    timings([end, slow, both, net]),
    [
      '|  | made | changed | made anew | gone |',
      '| --- | --- | --- | --- | --- |',
      '| `end` | 10 |  |  |  |',
      '| `slow` | 90 |  |  | 5 |',
      '',
      'The longest way of a first deploy is slow/s (90 s), end/e (10 s):',
      'about 2 min.',
    ].join('\n'),
  )
})

test('the page has what the code gives: otherwise npm run graph', async () => {
  const text = readFileSync(page, 'utf8')
  assert.is(redrawn(text, await partsOfPage()), text)
  assert.throws(() => redrawn('a page without a place', { graph: 'x' }), /no place/)
})

test('the page has a word on every kind of resource', () => {
  const text = readFileSync(page, 'utf8')
  assert.equal(
    scalewayKinds.map(it => it.name).filter(it => !text.includes(`| \`${it}\``) && !text.includes(`, \`${it}\``)),
    [],
  )
})
