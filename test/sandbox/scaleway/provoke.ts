import type { Project } from './project.ts'
import type { Before } from './replay.ts'

const gateways = '/vpc-gw/v2/zones/fr-par-1'

/** What had come before an answer that was recorded alone, by the request it was the answer to. */
export const provoke = (project: Project): Before => ({
  /** The key had been deleted. */
  'GET /iam/v1alpha1/api-keys/SCWXXXXXXXXXXXXXXXXX': async () => ({ token: crypto.randomUUID() }),

  /** Another network was just being attached to the gateway. */
  async 'POST /vpc-gw/v2/zones/fr-par-1/gateway-networks'(bindings) {
    const { raw } = project
    const network = async () => (await raw('POST', '/vpc/v2/regions/fr-par/private-networks', { name: 'n' })).json.id
    const gateway = (await raw('POST', `${gateways}/gateways`, { name: 'g', type: 'VPC-GW-S' })).json.id
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      const { json } = await raw('GET', `${gateways}/gateways/${gateway}`)
      if (json.status === 'running') break
    }
    const body = { gateway_id: gateway, enable_masquerade: true, push_default_route: true }
    await raw('POST', `${gateways}/gateway-networks`, { ...body, private_network_id: await network() })
    bindings.set('{gateway:2}', gateway)
    bindings.set('{private_network:2}', await network())
    return {}
  },

  /** Others had used up what the key may ask in a second. */
  async [snapshots]() {
    project.scaleway.conditions.set({ rateLimit: { perSecond: 1 } })
    for (let calls = 0; calls < 3; calls++) await project.raw('GET', '/block/v1/zones/pl-waw-3/snapshots')
    return {}
  },

  'POST /baremetal/v1/zones/fr-par-2/servers': async () => {
    project.scaleway.conditions.clear()
    return {}
  },
})

const snapshots =
  'GET /block/v1/zones/pl-waw-3/snapshots?include_deleted=false&order_by=created_at_asc&page=1&project_id={project:3}'
