import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { mermaid, page, redrawn, sandboxGraph } from '../../src/cli/graph.ts'
import { word } from '../../src/engine/desired.ts'
import type { Kind } from '../../src/engine/kind.ts'
import { scalewayKinds } from '../../src/scaleway/kinds.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('the picture of the resources')

const kind = (name: string): Kind<{ of: string }, { id: string }, null> => ({
  name,
  read: async () => null,
  diff: () => null,
  apply: async () => ({ id: name }),
})

test('a node a kind with how many, a full arrow for a value, a dashed one for order alone', () => {
  const net = word(kind('private-net'))('n', { of: 'nothing' })
  const both = word(kind('server'))('both', { of: net.out.id }, { after: [net] })
  const later = word(kind('server'))('later', { of: net.out.id })
  const last = word(kind('last'))('l', { of: 'nothing' }, { after: [both, later] })
  assert.is(
    mermaid([
      { name: 'one', desired: [net] },
      { name: 'two', desired: [both, later, last] },
    ]),
    [
      '```mermaid',
      'flowchart LR',
      '  subgraph stage_one["stage one"]',
      '    private_net["private-net"]',
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

test('the page shows what the code gives: otherwise npm run graph', async () => {
  const text = readFileSync(page, 'utf8')
  assert.is(redrawn(text, await sandboxGraph()), text)
  assert.throws(() => redrawn('a page without a place', 'x'), /no place/)
})

test('the page has a word on every kind of resource', () => {
  const text = readFileSync(page, 'utf8')
  assert.equal(
    scalewayKinds.map(it => it.name).filter(it => !text.includes(`\`${it}\``)),
    [],
  )
})
