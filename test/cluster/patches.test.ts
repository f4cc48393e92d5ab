import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { deployment, IMAGE, map } from './objects.ts'

const { test, before, after } = suite('cluster: patches')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('patches')
})
after(() => cluster?.close())

const maps = (name: string) => cluster.path('v1', 'configmaps', name)
const deployments = (name: string) => cluster.path('apps/v1', 'deployments', name)
const REJECTED = 'the server rejected our request due to an error in our request'
type Type = 'json' | 'merge' | 'strategic-merge'
const makeMap = (name: string, data: Loose, metadata: Loose = {}) =>
  cluster.make('v1', 'configmaps', map(name, { data, metadata }))

for (const { when, patch, data, labels } of [
  { when: 'merges', patch: { data: { b: '2' } }, data: { a: '1', b: '2' }, labels: { l: '1' } },
  { when: 'removes by null', patch: { data: { a: null } }, data: undefined, labels: { l: '1' } },
  {
    when: 'removes all of a map by null',
    patch: { data: null, metadata: { labels: null } },
    data: undefined,
    labels: undefined,
  },
  { when: 'ignores a null for what is not there', patch: { data: { x: null } }, data: { a: '1' }, labels: { l: '1' } },
])
  for (const type of ['merge', 'strategic-merge'] as const)
    test(`${type} ${when}`, async () => {
      const name = `${type}-${when.replaceAll(' ', '-')}`
      await makeMap(name, {}, { labels: { l: '1' } })
      const { code, body } = await cluster.patch(maps(name), type, patch)
      assert.equal([code, body.data, body.metadata.labels], [200, data, labels])
    })

const containers = (...list: Loose[]) => ({ spec: { template: { spec: { containers: list } } } })
const two = async (name: string) =>
  cluster.make(
    'apps/v1',
    'deployments',
    deployment(
      name,
      {},
      {
        containers: [
          {
            name: 'main',
            image: IMAGE,
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            ports: [{ containerPort: 80 }],
          },
          { name: 'side', image: IMAGE },
        ],
        tolerations: [{ key: 'a', operator: 'Exists' }],
        volumes: [{ name: 'v', emptyDir: {} }],
        nodeSelector: { a: 'b' },
      },
    ),
  )

for (const { when, patch, sees, expected } of [
  {
    when: 'merges containers by name, and variables by theirs',
    patch: containers({
      name: 'main',
      env: [
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
    }),
    sees: (it: Loose) => [
      it.containers.map((its: Loose) => its.name),
      it.containers[0].env.map((its: Loose) => its.value),
    ],
    expected: [
      ['main', 'side'],
      ['1', '3', '4'],
    ],
  },
  {
    when: 'removes an item by $patch: delete',
    patch: containers({ name: 'side', $patch: 'delete' }, { name: 'main', env: [{ name: 'A', $patch: 'delete' }] }),
    sees: (it: Loose) => [it.containers.length, it.containers[0].env.map((its: Loose) => its.name)],
    expected: [1, ['B']],
  },
  {
    when: 'replaces a list by $patch: replace',
    patch: containers({ name: 'main', env: [{ $patch: 'replace' }, { name: 'Z', value: '9' }] }),
    sees: (it: Loose) => it.containers[0].env,
    expected: [{ name: 'Z', value: '9' }],
  },
  {
    when: 'replaces a map by $patch: replace',
    patch: { spec: { template: { spec: { nodeSelector: { $patch: 'replace', x: 'y' } } } } },
    sees: (it: Loose) => it.nodeSelector,
    expected: { x: 'y' },
  },
  {
    when: 'orders by $setElementOrder',
    patch: {
      spec: {
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }],
            containers: [{ name: 'side', workingDir: '/' }],
          },
        },
      },
    },
    sees: (it: Loose) => it.containers.map((its: Loose) => its.name),
    expected: ['side', 'main'],
  },
  {
    when: 'keeps what $retainKeys names',
    patch: {
      spec: {
        template: { spec: { volumes: [{ $retainKeys: ['name', 'configMap'], name: 'v', configMap: { name: 'm' } }] } },
      },
    },
    sees: (it: Loose) => it.volumes,
    expected: [{ name: 'v', configMap: { name: 'm', defaultMode: 420 } }],
  },
  {
    when: 'replaces lists without keys whole',
    patch: { spec: { template: { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } } } },
    sees: (it: Loose) => it.tolerations,
    expected: [{ key: 'b', operator: 'Exists' }],
  },
  {
    when: 'knows ports by their number',
    patch: containers({ name: 'main', ports: [{ containerPort: 80, name: 'web' }, { containerPort: 81 }] }),
    sees: (it: Loose) =>
      it.containers[0].ports.map((its: Loose) => `${its.containerPort} ${its.name ?? ''} ${its.protocol}`).sort(),
    expected: ['80 web TCP', '81  TCP'],
  },
  {
    when: 'adds volumes by name',
    patch: { spec: { template: { spec: { volumes: [{ name: 'w', emptyDir: {} }] } } } },
    sees: (it: Loose) => it.volumes.map((its: Loose) => its.name).sort(),
    expected: ['v', 'w'],
  },
])
  test(`strategic ${when}`, async () => {
    const name = `s-${when.toLowerCase().replace(/[^a-z]+/g, '-')}`.slice(0, 50).replace(/-$/, '')
    await two(name)
    const { code, body } = await cluster.patch(deployments(name), 'strategic-merge', patch)
    assert.is(code, 200, body.message)
    assert.equal(sees(body.spec.template.spec), expected)
  })

test('primitive lists lose what $deleteFromPrimitiveList names', async () => {
  await makeMap('primitive', {}, { finalizers: ['example.com/a', 'example.com/b'] })
  const both = await cluster.patch(maps('primitive'), 'strategic-merge', {
    metadata: { finalizers: ['example.com/c'], '$deleteFromPrimitiveList/finalizers': ['example.com/a'] },
  })
  assert.equal(both.body.metadata.finalizers.sort(), ['example.com/b', 'example.com/c'])
  const none = await cluster.patch(maps('primitive'), 'merge', { metadata: { finalizers: null } })
  assert.is(none.body.metadata.finalizers, undefined)
})

for (const { when, patch, data } of [
  { when: 'adds', patch: [{ op: 'add', path: '/data/b', value: '2' }], data: { a: '1', b: '2' } },
  { when: 'replaces', patch: [{ op: 'replace', path: '/data/a', value: '2' }], data: { a: '2' } },
  { when: 'removes', patch: [{ op: 'remove', path: '/data/a' }], data: undefined },
  { when: 'moves', patch: [{ op: 'move', from: '/data/a', path: '/data/b' }], data: { b: '1' } },
  { when: 'copies', patch: [{ op: 'copy', from: '/data/a', path: '/data/b' }], data: { a: '1', b: '1' } },
  {
    when: 'tests and goes on',
    patch: [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'replace', path: '/data/a', value: '2' },
    ],
    data: { a: '2' },
  },
  {
    when: 'escapes',
    patch: [
      { op: 'add', path: '/metadata/annotations', value: { 'a/b': '1' } },
      { op: 'remove', path: '/metadata/annotations/a~1b' },
    ],
    data: { a: '1' },
  },
])
  test(`json ${when}`, async () => {
    const name = `j-${when.replaceAll(' ', '-')}`
    await makeMap(name, {})
    const { code, body } = await cluster.patch(maps(name), 'json', patch)
    assert.equal([code, body.data], [200, data])
  })

for (const { when, type, body, code, reason, says } of [
  {
    when: 'a test that fails',
    type: 'json',
    body: [{ op: 'test', path: '/data/a', value: '7' }],
    code: 422,
    reason: 'Invalid',
    says: REJECTED,
  },
  {
    when: 'a path that is not there',
    type: 'json',
    body: [{ op: 'remove', path: '/data/x' }],
    code: 422,
    reason: 'Invalid',
    says: REJECTED,
  },
  {
    when: 'an operation that is none',
    type: 'json',
    body: [{ op: 'frob', path: '/data/x' }],
    code: 422,
    reason: 'Invalid',
    says: REJECTED,
  },
  {
    when: 'a JSON patch that is no list',
    type: 'json',
    body: { a: 1 },
    code: 400,
    reason: 'BadRequest',
    says: 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  },
  {
    when: 'a merge patch that is a list',
    type: 'merge',
    body: [1],
    code: 400,
    reason: 'BadRequest',
    says: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  },
  {
    when: 'no JSON',
    type: 'merge',
    body: '{',
    code: 400,
    reason: 'BadRequest',
    says: 'error decoding patch: unexpected end of JSON input',
  },
] as { when: string; type: Type; body: Loose; code: number; reason: string; says: string }[])
  test(`refused: ${when}`, async () => {
    await cluster.call('POST', cluster.path('v1', 'configmaps'), map('refused'))
    const answer = await cluster.patch(maps('refused'), type, body)
    assert.equal([answer.code, answer.body.reason], [code, reason], answer.body.message)
    assert.match(answer.body.message, says)
  })

test('a content type that is none is 415, for a patch as for what is made', async () => {
  const { code, body } = await cluster.call('PATCH', maps('refused'), {}, { 'content-type': 'application/json' })
  assert.equal([code, body.reason], [415, 'UnsupportedMediaType'])
  assert.equal([body.message, body.details], ['415: Unsupported Media Type', {}])
  const post = await cluster.call('POST', cluster.path('v1', 'configmaps'), 'x', { 'content-type': 'text/plain' })
  assert.equal([post.code, post.body.reason], [415, 'UnsupportedMediaType'])
  assert.is(
    post.body.message,
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  )
})

test('a merge of a strategic patch lacks its key', async () => {
  await two('keyless')
  const { code, body } = await cluster.patch(deployments('keyless'), 'strategic-merge', containers({ image: IMAGE }))
  assert.is(code, 500)
  assert.match(body.message, 'does not contain declared merge key: name')
})

test('the name of a manager is the first part of the agent, or what is asked for', async () => {
  await makeMap('manager', {})
  const { body } = await cluster.patch(maps('manager'), 'merge', { data: { b: '1' } }, '?fieldManager=anna')
  const who = body.metadata.managedFields.map((it: Loose) => `${it.manager} ${it.operation}`)
  assert.equal(who.sort(), ['anna Update', 'tester Update'])
})
