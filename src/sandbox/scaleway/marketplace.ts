import { invalid, notFound, ok } from './answer.ts'
import { findImage, type Image, imagesOf, serverTypes, typesFor } from './catalogue.ts'
import { type Cloud, pythonDate, uuidOf } from './cloud.ts'
import { asks, page, pageHeaders, slice } from './lists.ts'
import { asOf, scratchSince, today } from './releases.ts'
import { type Route, route } from './router.ts'

const images = '/marketplace/v2/local-images'
const zones = ['fr-par-1', 'fr-par-2', 'nl-ams-1', 'pl-waw-1']

/** Images by label, and what an image or a server type is. */
export const marketplaceRoutes = (cloud: Pick<Cloud, 'asOf'>): Route[] => {
  const turned = new Set(['ubuntu_jammy'])
  /** Which architecture comes first differs between recordings: nobody may count on it, so it turns with every look. */
  const inNoOrder = (label: string, found: Image[]): Image[] => {
    const turn = turned.delete(label)
    if (!turn) turned.add(label)
    return turn ? found.toReversed() : found
  }
  return [
    route('GET', images, ask => {
      const { query } = ask
      const label = query.get('image_label')
      if (!label && !query.get('image_id') && !query.get('version_id'))
        throw invalid({
          argument_name: 'image_label',
          reason: 'required',
          help_message: 'one of the filters is needed',
        })
      const zone = query.get('zone')
      const found = (zone ? [zone] : zones)
        .flatMap(imagesOf)
        .filter(it => it.label === label && asks(ask, 'type', it.type) && asks(ask, 'arch', it.arch))
      return page('local_images', inNoOrder(label ?? '', found).map(showLocal), ask)
    }),
    route('GET', `${images}/:id`, ({ params }) => {
      const found = zones.flatMap(imagesOf).find(it => it.id === params.id)
      if (!found) throw notFound('local_image', params.id!)
      return ok(showLocal(found))
    }),
    route('GET', '/instance/v1/zones/:zone/images/:id', ({ params, place }) =>
      ok({ image: showImage(place, params.id!) }),
    ),
    route('GET', '/instance/v1/zones/:zone/products/servers', ask => {
      const day = cloud.asOf ?? today
      const all = Object.entries(serverTypes).map(
        ([name, it]) =>
          [
            name,
            asOf('server_type', day, day < scratchSince ? { ...it, scratch_storage_max_size: null } : it),
          ] as const,
      )
      const servers = Object.fromEntries(slice(all, ask.query, 'per_page', 50))
      return ok({ servers }, pageHeaders(all.length, ask))
    }),
  ]
}

const showLocal = (it: ReturnType<typeof imagesOf>[number]) => ({
  ...{ id: it.id, arch: it.arch, zone: it.zone, label: it.label, type: it.type },
  compatible_commercial_types: typesFor(it.arch),
})

const scaleway = '51b656e3-4865-41e8-adbc-0c45bdd780db' // the organization that publishes images
const released = pythonDate('2025-09-12T09:11:41.420846Z')

export const snapshotOf = (imageId: string) => uuidOf(`snapshot of ${imageId}`)

export const showImage = (zone: string, id: string) => {
  const image = findImage(zone, id)
  if (!image) throw notFound('instance_image', id)
  return {
    ...{ id, name: image.name, organization: scaleway, project: scaleway },
    root_volume: { volume_type: 'sbs_snapshot', id: snapshotOf(id), size: 0, name: '' },
    ...{ extra_volumes: {}, public: true, arch: image.arch, creation_date: released, modification_date: released },
    ...{ default_bootscript: null, from_server: '', state: 'available', tags: [], zone },
  }
}
