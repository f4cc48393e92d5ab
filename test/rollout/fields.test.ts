import * as assert from 'uvu/assert'
import type { Json } from '../../src/engine/json.ts'
import { detail, differences } from '../../src/rollout/kube/difference.ts'
import { extract, holds, leaves, lookup, show, treeOf } from '../../src/rollout/kube/fields.ts'
import type { Fields } from '../../src/rollout/kube/object.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout/fields')

const pod: Json = {
  labels: { app: 'web', egress: 'external' },
  containers: [
    { name: 'side', env: [{ name: 'B', value: '2' }] },
    {
      name: 'curl',
      image: 'x',
      env: [
        { name: 'A', value: '1' },
        { name: 'P', value: 'http://p' },
      ],
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    },
  ],
  command: ['sleep', '1'],
}

const ours: Fields = {
  'f:labels': { 'f:egress': {} },
  'f:containers': {
    'k:{"name":"curl"}': {
      '.': {},
      'f:name': {},
      'f:env': { 'k:{"name":"P"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
    },
  },
}

test('extract takes what is owned, with the keys of items', () => {
  assert.equal(extract(pod, ours), {
    labels: { egress: 'external' },
    containers: [{ name: 'curl', env: [{ name: 'P', value: 'http://p' }] }],
  })
})

test('extract takes owned wholes, empty things, and nothing that is gone', () => {
  assert.equal(extract(pod, { 'f:command': {}, 'f:labels': { '.': {} }, 'f:gone': {} }), {
    command: ['sleep', '1'],
    labels: {},
  })
})

test('leaves name each owned field once', () => {
  assert.equal(leaves(ours).map(show), [
    'labels.egress',
    'containers[name=curl].name',
    'containers[name=curl].env[name=P].name',
    'containers[name=curl].env[name=P].value',
  ])
  assert.equal(leaves(treeOf(leaves(ours))), leaves(ours))
})

for (const { path, held } of [
  { path: ['f:labels', 'f:egress'], held: true },
  { path: ['f:labels', 'f:app'], held: false },
  { path: ['f:labels', 'f:egress', 'f:inside a whole'], held: true },
  { path: ['f:containers', 'k:{"name":"curl"}'], held: true },
  { path: ['f:containers', 'k:{"name":"side"}', 'f:env'], held: false },
]) {
  test(`${show(path)} is ${held ? '' : 'not '}held`, () => assert.is(holds(ours, path), held))
}

test('lookup fills in the default protocol', () => {
  const path = [
    'f:containers',
    'k:{"name":"curl"}',
    'f:ports',
    'k:{"containerPort":80,"protocol":"TCP"}',
    'f:containerPort',
  ]
  assert.is(lookup(pod, path), 80)
})

test('labels with dots are shown in brackets', () => {
  assert.is(show(['f:metadata', 'f:labels', 'f:app.kubernetes.io/name']), 'metadata.labels["app.kubernetes.io/name"]')
})

const same: Json[] = [
  { labels: { app: 'web' } },
  { containers: [{ name: 'curl', env: [{ name: 'P', value: 'http://p' }] }] },
  { containers: [{ name: 'curl', ports: [{ containerPort: 80 }] }] },
  { command: ['sleep', '1'], gone: null },
]
for (const want of same) test(`no difference: ${JSON.stringify(want)}`, () => assert.equal(differences(want, pod), []))

for (const { want, says } of [
  { want: { labels: { egress: 'internal' } }, says: 'labels.egress: external -> internal' },
  { want: { labels: { tier: 'x' } }, says: 'labels.tier: (absent) -> x' },
  { want: { command: ['sleep', '2'] }, says: 'command: ["sleep","1"] -> ["sleep","2"]' },
  { want: { command: ['sleep'] }, says: 'command: ["sleep","1"] -> ["sleep"]' },
  {
    want: { containers: [{ name: 'curl', env: [{ name: 'P', value: 'other' }] }] },
    says: 'containers[name=curl].env[name=P].value: http://p -> other',
  },
  {
    want: { containers: [{ name: 'curl', env: [{ name: 'Q', value: 'q' }] }] },
    says: 'containers[name=curl].env[name=Q]: (absent) -> {"name":"Q","value":"q"}',
  },
]) {
  test(says, () => {
    const found = differences(want, pod)
    assert.equal(
      found.map(it => detail(it).diff),
      [says],
    )
  })
}

test('defaults inside a list that is replaced whole are no difference', () => {
  const live = { egress: [{ ports: [{ port: 53, protocol: 'UDP', more: 1 }] }] }
  assert.equal(differences({ egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] }, live), [])
  assert.is(differences({ egress: [{ ports: [{ port: 53 }, { port: 54 }] }] }, live).length, 1)
  assert.is(differences({ egress: [] }, live).length, 1)
})
