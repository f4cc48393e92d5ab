import * as assert from 'uvu/assert'
import { idOf, lineOf, orphansIn, protectedOf, wantedBy } from '../../src/cli/owned.ts'
import type { Owned, OwnedKind } from '../../src/scaleway/leftovers.ts'
import { suite } from '../support/suite.ts'
import { thing } from '../support/things.ts'

const { test } = suite('cli: what is owned')

const owned = (kind: OwnedKind, name: string, rest: Partial<Owned> = {}): Owned => ({
  kind,
  name,
  id: `${kind}-${name}`,
  tagged: true,
  ...rest,
})
const orphans = (all: Owned[], wanted: string[]) => orphansIn(all, new Set(wanted), ['fr-par-1']).map(it => it.id)

for (const { when, all, wanted, lost } of [
  { when: 'all is wanted', all: [owned('server', 'a')], wanted: ['server/a'], lost: [] },
  {
    when: 'a tenant left',
    all: [owned('server', 'a'), owned('server', 'b'), owned('flexible-ip', 'b')],
    wanted: ['server/a'],
    lost: ['server-b', 'flexible-ip-b'],
  },
  {
    when: 'the key of the operator is wanted',
    all: [owned('ssh-key', 'kapsule-egress/production/operator')],
    wanted: ['ssh-key/operator'],
    lost: [],
  },
  {
    when: 'a volume stays with the server that is wanted, whatever the volume is called',
    all: [owned('root-volume', 'a'), owned('root-volume', 'b')],
    wanted: ['server/a'],
    lost: ['root-volume-b'],
  },
  {
    when: 'a pool of another hand in our cluster is not ours to prune',
    all: [owned('pool', 'theirs', { tagged: false, parent: 'cluster-shared' }), owned('cluster', 'shared')],
    wanted: ['cluster/shared'],
    lost: [],
  },
  {
    when: 'what has no tags goes with its parent',
    all: [owned('gateway-network', 'leg', { tagged: false, parent: 'gateway-old' }), owned('gateway', 'old')],
    wanted: [],
    lost: ['gateway-network-leg', 'gateway-old'],
  },
  {
    when: 'a server that was never tagged is known by an address of ours',
    all: [owned('server', 'a', { tagged: false }), owned('server', 'b', { tagged: false })],
    wanted: ['server/a'],
    lost: ['server-b'],
  },
  {
    when: 'what a zone of the past has kept beside its successor',
    all: [
      owned('security-group', 'proxy', { zone: 'fr-par-1' }),
      owned('security-group', 'proxy', { id: 'old', zone: 'fr-par-2' }),
    ],
    wanted: ['security-group/proxy'],
    lost: ['old'],
  },
] as { when: string; all: Owned[]; wanted: string[]; lost: string[] }[]) {
  test(when, () => assert.equal(orphans(all, wanted), lost))
}

test('a thing is wanted under its id and under the name that its tags carry', () => {
  const wanted = wantedBy([
    thing('security-group/proxy', { want: { name: 'egress-proxy' } }),
    thing('gateway-network/a'),
  ])
  assert.equal([...wanted], ['security-group/proxy', 'security-group/egress-proxy', 'gateway-network/a'])
})

test('what is protected is found by its id, a leg by its gateway', () => {
  const all = [
    owned('gateway-network', 'leg', { tagged: false, parent: 'gateway-egress' }),
    owned('gateway', 'egress'),
    owned('server', 'a'),
  ]
  const ids = (protectedIds: string[]) => protectedOf(all, new Set(protectedIds)).map(it => it.id)
  assert.equal(ids(['gateway/egress']), ['gateway-network-leg', 'gateway-egress'])
  assert.equal(ids(['server/b']), [])
})

test('a line tells what, which and where', () => {
  assert.is(lineOf(owned('server', 'a', { zone: 'fr-par-1' })), 'server/a  (server-a, fr-par-1)')
  assert.is(idOf(owned('vpc', 'egress')), 'vpc/egress')
})
