import * as assert from 'uvu/assert'
import { jsonPatch, mergePatch, strategicPatch } from '../../../src/sandbox/kubernetes/objects/patch.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('patches of the emulated API')
const containers = (...it: object[]) => ({ spec: { containers: it } })

for (const { when, target, patch, expected } of [
  { when: 'null removes', target: { a: 1, b: 2 }, patch: { a: null }, expected: { b: 2 } },
  { when: 'lists are replaced', target: { a: [1, 2] }, patch: { a: [3] }, expected: { a: [3] } },
  { when: 'maps join', target: { a: { b: 1 } }, patch: { a: { c: 2 } }, expected: { a: { b: 1, c: 2 } } },
]) {
  test(`merge: ${when}`, () => assert.equal(mergePatch(target, patch), expected))
}

for (const { when, target, patch, expected } of [
  {
    when: 'containers join by name',
    target: containers({ name: 'a', image: '1' }, { name: 'b' }),
    patch: containers({ name: 'a', image: '2' }),
    expected: containers({ name: 'a', image: '2' }, { name: 'b' }),
  },
  {
    when: '$patch delete removes an item',
    target: containers({ name: 'a' }, { name: 'b' }),
    patch: containers({ name: 'a', $patch: 'delete' }),
    expected: containers({ name: 'b' }),
  },
  {
    when: '$patch replace replaces a map',
    target: { spec: { x: { a: 1 } } },
    patch: { spec: { x: { $patch: 'replace', b: 2 } } },
    expected: { spec: { x: { b: 2 } } },
  },
  {
    when: 'the order is set',
    target: containers({ name: 'a' }, { name: 'b' }),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    expected: containers({ name: 'b' }, { name: 'a' }),
  },
  {
    when: 'retain keys drops the others',
    target: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: {} } } },
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    expected: { spec: { strategy: { type: 'Recreate' } } },
  },
  {
    when: 'tolerations are replaced',
    target: { spec: { tolerations: [{ key: 'a' }] } },
    patch: { spec: { tolerations: [{ key: 'b' }] } },
    expected: { spec: { tolerations: [{ key: 'b' }] } },
  },
  {
    when: 'finalizers join',
    target: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } },
    expected: { metadata: { finalizers: ['b', 'c'] } },
  },
]) {
  test(`strategic: ${when}`, () => assert.equal(strategicPatch(target, patch), expected))
}

for (const { when, patch, expected } of [
  { when: 'add to a map', patch: [{ op: 'add', path: '/m/b', value: 2 }], expected: { m: { b: 2 }, l: [1, 2] } },
  { when: 'append', patch: [{ op: 'add', path: '/l/-', value: 3 }], expected: { m: {}, l: [1, 2, 3] } },
  { when: 'insert', patch: [{ op: 'add', path: '/l/0', value: 0 }], expected: { m: {}, l: [0, 1, 2] } },
  { when: 'remove', patch: [{ op: 'remove', path: '/l/0' }], expected: { m: {}, l: [2] } },
  { when: 'move', patch: [{ op: 'move', from: '/l', path: '/m/k' }], expected: { m: { k: [1, 2] } } },
  {
    when: 'escaped names',
    patch: [{ op: 'add', path: '/m/a~1b~0c', value: 1 }],
    expected: { m: { 'a/b~c': 1 }, l: [1, 2] },
  },
  { when: 'a failed test', patch: [{ op: 'test', path: '/l/0', value: 9 }], expected: 422 },
  { when: 'a path that is not there', patch: [{ op: 'replace', path: '/m/x', value: 9 }], expected: 422 },
  { when: 'an index out of the list', patch: [{ op: 'add', path: '/l/3', value: 9 }], expected: 422 },
]) {
  test(`JSON: ${when}`, () => {
    const act = () => jsonPatch({ m: {}, l: [1, 2] }, patch)
    if (typeof expected !== 'number') assert.equal(act(), expected)
    else assert.throws(act, (error: { code?: number }) => error.code === expected)
  })
}
