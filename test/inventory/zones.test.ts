import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import { zonesIn } from '../../src/inventory/context.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, after } = suite('inventory/zones')
after(cleanUp)

const edits = (zone: string): Parameters<typeof changed>[0] => ({
  'context.yaml': [
    ['  type: VPC-GW-S', `  type: VPC-GW-S\n  zone: ${zone}`],
    ['type: DEV1-M, size: 1', `type: DEV1-M, size: 1, zone: ${zone}`],
  ],
  'tenants/client-a.yaml': [
    ['privateIp: 172.16.28.8', `privateIp: 172.16.28.8, zone: ${zone}`],
    ['type: DEV1-M, size: 1', `type: DEV1-M, size: 1, zone: ${zone}`],
  ],
})

test('gateway, proxy and pool may each have a zone of their own', async () => {
  const context = await loadContext('sandbox', { root: changed(edits('fr-par-2')), env: {} })
  assert.equal(zonesIn(context), ['fr-par-1', 'fr-par-2'])
  const { cloud } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  const zones = cloud.flatMap(({ id, want }) => {
    const { zone } = want as { zone?: string }
    return zone ? [`${id} ${zone.slice(-1)}`] : []
  })
  assert.equal(zones.sort(), [
    'flexible-ip/proxy-client-a 2',
    'flexible-ip/proxy-client-b 1',
    'gateway-ip/egress 2',
    'gateway-network/egress 2',
    'gateway/egress 2',
    'pool/client-a-pool 2',
    'pool/client-b-pool 1',
    'pool/system 2',
    'security-group/proxy 1',
    'security-group/proxy-fr-par-2 2',
    'server/proxy-client-a 2',
    'server/proxy-client-b 1',
  ])
})

test('a zone of another region is a mistake, told where it stands', async () => {
  const found = await mistakes(changed(edits('nl-ams-1')))
  assert.is(found.length, 4)
  for (const it of found) assert.match(it.message, /zone nl-ams-1 is not in fr-par/)
})
