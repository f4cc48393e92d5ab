import * as assert from 'uvu/assert'
import { createScaleway } from '../../../src/scaleway/client.ts'
import { securityGroupKind } from '../../../src/scaleway/security-group.ts'
import type { SecurityRule } from '../../../src/scaleway/security-rules.ts'
import { vpcKind } from '../../../src/scaleway/vpc.ts'
import { suite } from '../../support/suite.ts'
import { credentials, unpaced } from '../emulated.ts'
import { deploy, report } from '../network.ts'
import { serving } from '../serving.ts'
import { recording, stage } from './stage.ts'

const { test, after } = suite('hazards/sdk')
const open = stage({ after })

test('JSON with a charset is read as JSON', () =>
  serving(
    [
      {
        status: 200,
        body: '{"vpcs":[],"total_count":0}',
        headers: { 'content-type': 'application/json; charset=utf-8' },
      },
    ],
    async apiUrl => {
      const profile = { ...credentials, apiUrl, region: 'fr-par', zone: 'fr-par-1' }
      const { vpc } = await createScaleway(profile, { context: 'test', http: { pace: unpaced } })
      assert.equal(await vpc.listVPCs({}), { vpcs: [], totalCount: 0 })
    },
  ))

test('a list without a total is read to its end', async () => {
  const { clients } = await open()
  const rules: SecurityRule[] = Array.from({ length: 130 }, (_, at) => ({
    direction: 'inbound',
    action: 'accept',
    protocol: 'TCP',
    ipRange: '10.0.0.0/8',
    ports: { from: 1000 + at, to: 1000 + at },
  }))
  const want = { name: 'many', inboundDefault: 'drop' as const, outboundDefault: 'accept' as const, rules }
  await securityGroupKind.apply(want, await clients(), null, report)
  const found = await securityGroupKind.read(want, await clients(), report)
  assert.is(found?.rules.length, 130)
  assert.is(securityGroupKind.diff(want, found), null)
})

test('a list is longer than a page, and ours is on the last one', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  const first = await vpcKind.apply({ name: 'ours' }, scaleway, null, report)
  const { tags } = await scaleway.vpc.getVPC({ vpcId: first.id })
  await scaleway.vpc.deleteVPC({ vpcId: first.id })
  const others = tags.map(it => it.replace('egress-name=ours', 'egress-name=other'))
  for (let at = 0; at < 120; at++)
    await scaleway.vpc.createVPC({ name: `other-${at}`, tags: [...others, `n=${at}`], enableRouting: true })
  const ours = await scaleway.vpc.createVPC({ name: 'ours', tags, enableRouting: true })
  assert.is((await vpcKind.read({ name: 'ours' }, await clients(), report))?.id, ours.id)
})

test('whatever is made is given a name, or the API invents one', async () => {
  const { clients, wishes } = await open()
  const { send, all } = recording()
  await deploy(await clients('sandbox', { fetch: send }), wishes())
  const named = /\/(vpcs|private-networks|gateways|servers|security_groups|clusters|pools|ssh-keys)$/
  const made = all('POST', named)
  assert.is(made.length, 8)
  for (const { path, body } of made) assert.ok(body.name, `${path} was made without a name`)
})

test('labels and taints of a pool reach it, though the SDK drops them', async () => {
  const { clients, wishes } = await open()
  const { send, all } = recording()
  const { lives } = await deploy(await clients('sandbox', { fetch: send }), wishes())
  const [{ body } = { body: {} }] = all('POST', /\/pools$/)
  assert.equal(body.labels, { 'node-pool': 'client-a-pool' })
  assert.equal(body.taints, [{ key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' }])
  assert.equal(lives.pool.labels, body.labels)
  assert.equal(lives.pool.taints, ['node-role.kubernetes.io/client-a=dedicated:NoSchedule'])
})
