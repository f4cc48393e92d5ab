import * as assert from 'uvu/assert'
import { narrowed, placesOf, tagged, taskTags } from '../../src/cli/limit.ts'
import { hasPassed } from '../../src/cli/rollout/phase.ts'
import { word } from '../../src/engine/desired.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import { play } from '../../src/hosts/play.ts'
import { box } from '../engine/support.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: tags and phases that passed')
const thing = word(box)('client-a/web', { name: 'x', parents: [], value: '' })

for (const { tags, places, chosen } of [
  { tags: undefined, places: ['proxy'], chosen: true },
  { tags: ['proxy'], places: ['proxy'], chosen: true },
  { tags: ['box'], places: ['proxy'], chosen: true },
  { tags: ['client-a/*'], places: ['proxy'], chosen: true },
  { tags: ['client-b/*'], places: ['proxy'], chosen: false },
  { tags: ['rollout'], places: placesOf('canary'), chosen: true },
  { tags: ['canary'], places: placesOf('canary'), chosen: true },
  { tags: ['expand'], places: placesOf('expand 1/2'), chosen: true },
  { tags: ['gateway'], places: placesOf('gateway'), chosen: false },
  { tags: ['rollout/gateway'], places: placesOf('gateway'), chosen: true },
]) {
  test(`--tags ${tags ?? '(none)'} in ${places.at(-1)}: ${chosen}`, () => {
    assert.is(tagged(thing, places, tags), chosen)
  })
}

const want = {
  host: { name: 'h', address: '192.0.2.1', port: 22, user: 'root', hostKey: '', identity: '' },
  tasks: [
    { task: 'package' as const, name: 'squid', tags: ['squid', 'packages'] },
    { task: 'service' as const, name: 'squid', running: true, enabled: true, tags: ['squid'] },
    { task: 'package' as const, name: 'ufw', tags: ['packages'] },
    { task: 'command' as const, name: 'untagged', run: ':', unless: ':' },
    { task: 'command' as const, name: 'fence', run: ':', unless: ':', tags: ['always'] },
  ],
  handlers: { reload: ':' },
}
const hostPlay = play('h', want)

for (const { tags, left } of [
  { tags: ['squid'], left: 'squid squid fence' },
  { tags: ['packages'], left: 'squid ufw fence' },
  { tags: ['packages', 'squid'], left: 'squid squid ufw fence' },
  { tags: ['configure'], left: 'squid squid ufw untagged fence' },
  { tags: ['squid', 'configure'], left: 'squid squid ufw untagged fence' },
  { tags: ['squid', 'host-play'], left: 'squid squid ufw untagged fence' },
  { tags: ['h'], left: 'squid squid ufw untagged fence' },
  { tags: ['proxy'], left: 'squid squid ufw untagged fence' },
  { tags: ['always'], left: 'squid squid ufw untagged fence' },
])
  test(`--tags ${tags} leaves the tasks ${left}`, () => {
    const { tasks } = narrowed(hostPlay, tags).want as unknown as typeof want
    assert.is(tasks.map(it => it.name).join(' '), left)
  })

test('a play answers to the tags of its tasks, other things to none', () => {
  assert.equal(taskTags(hostPlay), ['squid', 'packages'])
  assert.equal(taskTags(thing), [])
})

const line = (entry: Entry): Recorded => ({ time: '', run: 'A', ...entry })
const moved = line({
  event: 'started',
  step: 's',
  kind: 'box',
  group: 'g',
  needs: [],
  want: null,
  before: null,
  change: { action: 'update', summary: '' },
})
const passed = (...tenants: string[]) => line({ event: 'note', topic: 'phase-passed', data: { group: 'g', tenants } })
const undone = line({ event: 'undone', step: 's' })

for (const { when, history, tenants, answer } of [
  { when: 'nothing was asked', history: [moved], tenants: ['a'], answer: false },
  { when: 'it passed', history: [moved, passed('a')], tenants: ['a'], answer: true },
  { when: 'it passed for one of two', history: [moved, passed('a')], tenants: ['a', 'b'], answer: false },
  {
    when: 'it passed for one after the other',
    history: [moved, passed('a'), passed('b')],
    tenants: ['a', 'b'],
    answer: true,
  },
  { when: 'it was changed since', history: [passed('a'), moved], tenants: ['a'], answer: false },
  { when: 'it was taken back since', history: [moved, passed('a'), undone], tenants: ['a'], answer: false },
]) {
  test(`a phase has passed: ${when}: ${answer}`, () => assert.is(hasPassed(history, 'g', tenants), answer))
}
