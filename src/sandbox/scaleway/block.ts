import { forbidden, noContent, notFound, ok, precondition } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid } from './cloud.ts'
import { count, text, texts } from './fields.ts'
import { anyTag, asks, nameHas, page } from './lists.ts'
import { snapshotOf } from './marketplace.ts'
import type { Volume } from './records.ts'
import { type Ask, type Route, route } from './router.ts'

/** A root volume, attached from birth. It has no tags: nobody can give it any before it exists. */
export const addVolume = (
  { state, transitions }: Cloud,
  {
    zone,
    name,
    size,
    imageId,
    serverId,
    projectId,
  }: { zone: string; name: string; size: number; imageId: string; serverId: string; projectId: string },
): Volume => {
  const dates = dated()
  const volume: Volume = {
    ...{ id: uuid(), name, tags: [], project_id: projectId, zone, size, perf_iops: 5000 },
    parent_snapshot_id: snapshotOf(imageId),
    reference: { id: uuid(), server_id: serverId, status: 'attaching', created_at: dates.created_at },
    ...{ last_detached_at: null, ...dates },
  }
  state.volumes[volume.id] = volume
  transitions.start('volume attachment', volume.id, 3)
  return volume
}

/** The server is gone; the volume is `in_use` a little longer, then stays behind. */
export const detachVolume = ({ state, transitions }: Cloud, id: string) => {
  const volume = state.volumes[id]
  if (!volume?.reference) return
  volume.reference.status = 'detaching'
  transitions.start('volume detachment', id, 3)
}

export const blockRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions } = cloud
  const volumeOf = ({ params, place }: Ask) => mustFind(cloud, 'volumes', params.id!, place)

  const show = ({ reference, perf_iops, status, ...it }: Volume) => ({
    ...it,
    type: perf_iops > 5000 ? 'sbs_15k' : 'sbs_5k',
    references: reference
      ? [
          {
            ...{ id: reference.id, product_resource_type: 'instance_server', product_resource_id: reference.server_id },
            ...{ created_at: reference.created_at, type: 'exclusive', status: reference.status },
          },
        ]
      : [],
    status: status ?? (reference ? 'in_use' : 'available'),
    specs: { perf_iops, class: 'sbs' },
  })

  transitions.define('volume attachment', {
    done(id) {
      const reference = state.volumes[id]?.reference
      if (reference?.status === 'attaching') reference.status = 'attached'
    },
    failed: () => {},
  })
  transitions.define('volume detachment', {
    done(id) {
      const volume = state.volumes[id]
      if (volume) Object.assign(volume, { reference: null, last_detached_at: now() })
    },
    failed: () => {},
  })

  const routes = (version: 'v1' | 'v1alpha1'): Route[] => {
    const shown = (it: Volume) => (version === 'v1' ? { ...show(it), kms_key_id: null } : show(it))
    const root = `/block/${version}/zones/:zone/volumes`
    return [
      route('GET', root, ask => {
        const rows = byId(state.volumes).filter(
          it =>
            it.zone === ask.place &&
            nameHas(ask, it.name) &&
            anyTag(ask, it.tags) &&
            asks(ask, 'project_id', it.project_id) &&
            asks(ask, 'product_resource_id', it.reference?.server_id),
        )
        return page('volumes', rows.map(shown), ask)
      }),
      route('GET', `${root}/:id`, ask => ok(shown(volumeOf(ask)))),
      route('PATCH', `${root}/:id`, ask => {
        const volume = volumeOf(ask)
        volume.name = text(ask.body, 'name') ?? volume.name
        volume.tags = texts(ask.body, 'tags') ?? volume.tags
        volume.perf_iops = count(ask.body, 'perf_iops') ?? volume.perf_iops
        volume.size = Math.max(volume.size, count(ask.body, 'size') ?? 0)
        volume.updated_at = now()
        return ok(shown(volume))
      }),
      route('DELETE', `${root}/:id`, ask => {
        const volume = volumeOf(ask)
        if (volume.reference) throw precondition('resource_still_in_use', 'volume is attached to a server')
        delete state.volumes[volume.id]
        return noContent
      }),
    ]
  }
  return [
    // There are none, and one that is not there is not one's to see.
    route('GET', '/block/v1/zones/:zone/snapshots', ask => page('snapshots', [], ask)),
    route('GET', '/block/v1/zones/:zone/snapshots/:id', () => {
      throw forbidden('read', 'snapshot')
    }),
    ...routes('v1'),
    ...routes('v1alpha1'),
    // The old place of volumes does not know the ones of Block Storage, and there are no others here.
    route('GET', '/instance/v1/zones/:zone/volumes/:id', ({ params }) => {
      throw notFound('instance_volume', params.id!)
    }),
  ]
}
