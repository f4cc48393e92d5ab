import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('playbooks/protect')
after(cleanUp)

type Edits = Parameters<typeof changed>[0]
const of = async (edits: Edits) => {
  const context = await loadContext('sandbox', { root: changed(edits), env: {} })
  const { protectedIds, cloud } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  for (const id of protectedIds)
    assert.ok(
      cloud.some(it => it.id === id),
      `${id} is an id of a playbook`,
    )
  return [...protectedIds].sort()
}

test('nothing is protected unless the inventory says so', async () => {
  assert.equal(await of({}), [])
})

test('a protected proxy keeps its addresses', async () => {
  const edits: Edits = {
    'tenants/client-a.yaml': [['privateIp: 172.16.28.8', 'privateIp: 172.16.28.8, protect: true']],
  }
  assert.equal(await of(edits), ['flexible-ip/proxy-client-a', 'ipam-address/proxy-client-a', 'server/proxy-client-a'])
})

test('each resource is protected by its own word', async () => {
  const edits: Edits = {
    'context.yaml': [
      ['  vpc: egress', '  vpc: egress\n  protect: true'],
      ['  type: VPC-GW-S', '  type: VPC-GW-S\n  protect: true'],
      ['  cni: cilium', '  cni: cilium\n  protect: true'],
      ['type: DEV1-M, size: 1', 'type: DEV1-M, size: 1, protect: true'],
    ],
  }
  assert.equal(
    await of(edits),
    'cluster/shared gateway-ip/egress gateway-network/egress gateway/egress pool/system private-network/egress vpc/egress'.split(
      ' ',
    ),
  )
})

test('a protected context protects all of it', async () => {
  const all = await of({ 'context.yaml': [['context: sandbox', 'context: sandbox\nprotect: true']] })
  assert.is(all.length, 15)
})
