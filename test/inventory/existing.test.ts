import * as assert from 'uvu/assert'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory/existing')
after(cleanUp)

type Edits = [string | RegExp, string][]
const net = 'privateNetwork: { name: egress,'

for (const { what, edits, says } of [
  { what: 'a VPC missing', edits: [['  vpc: egress\n', '']] as Edits, says: /network\.vpc is missing/ },
  {
    what: 'an id and a name',
    edits: [['vpc: egress', 'vpc: { existing: { name: a, id: 6ba7b810-9dad-41d1-80b4-00c04fd430c8 } }']] as Edits,
    says: /named by its id or by its name it says both/,
  },
  { what: 'neither', edits: [['vpc: egress', 'vpc: { existing: {} }']] as Edits, says: /it says neither/ },
  {
    what: 'a new VPC around a network that exists',
    edits: [[net, 'privateNetwork: { existing: { name: n },']] as Edits,
    says: /the VPC egress would be made, and the private network exists already/,
  },
  {
    what: 'a type for a gateway that exists',
    edits: [['gateway:\n', 'gateway:\n  existing: { name: g }\n']] as Edits,
    says: /gateway\.type is not ours to choose/,
  },
  {
    what: 'a version for a cluster that exists',
    edits: [['  name: shared\n', '  existing: { name: shared }\n']] as Edits,
    says: /cluster\.version is not ours to choose/,
  },
  {
    what: 'a context of no kubeconfig',
    edits: [['  name: shared\n', '  name: shared\n  kubeconfigContext: prod\n']] as Edits,
    says: /kubeconfigContext is of no kubeconfig/,
  },
])
  test(`${what} is a mistake`, async () => {
    const found = await mistakes(changed({ 'context.yaml': edits }))
    assert.is(found.length, 1, found.map(it => it.message).join('\n'))
    assert.match(`${found[0]?.message} ${found[0]?.why}`, says)
    assert.match(String(found[0]?.message), /context\.yaml:\d+:\d+/)
  })

test('what exists is called by its name, or by its id', async () => {
  const edits: Edits = [
    ['  vpc: egress\n', ''],
    [net, 'privateNetwork: { existing: { id: 6ba7b810-9dad-41d1-80b4-00c04fd430c8 },'],
    [/ {2}name: shared\n {2}version: "[\d.]+"\n/, '  existing: { name: theirs }\n'],
  ]
  const context = await loadContext('sandbox', { root: changed({ 'context.yaml': edits }), env: {} })
  assert.is(context.network.privateNetwork.name, '6ba7b810-9dad-41d1-80b4-00c04fd430c8')
  assert.is(context.cluster.name, 'theirs')
})

test('a cluster of a kubeconfig is of the version that it has', async () => {
  const edits: Edits = [[/ {2}version: "[\d.]+"\n/, '  kubeconfig: mine.yaml\n']]
  assert.equal(
    (await mistakes(changed({ 'context.yaml': edits }))).map(it => it.message),
    [],
  )
})
