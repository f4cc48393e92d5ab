import { ok } from './answer.ts'
import { imagesOf, serverTypes } from './catalogue.ts'
import { uuidOf } from './cloud.ts'
import { page, slice } from './lists.ts'
import { type Route, route } from './router.ts'

/** What is in stock, and which images there are at all. */
export const offerRoutes = (): Route[] => [
  route('GET', '/instance/v1/zones/:zone/products/servers/availability', ({ query }) => {
    const all = Object.keys(serverTypes).map(name => [name, { availability: 'available' }] as const)
    return ok(
      { servers: Object.fromEntries(slice(all, query, 'per_page', 50)) },
      { 'x-total-count': String(all.length) },
    )
  }),
  route('GET', '/marketplace/v2/images', ask => {
    const images = new Map(imagesOf('fr-par-1').map(it => [it.label, it]))
    return page('images', [...images.values()].map(showImage), ask)
  }),
]

const released = '2025-09-12T09:11:41.420846Z'

const showImage = ({ label, name }: ReturnType<typeof imagesOf>[number]) => ({
  ...{ id: uuidOf(`image ${label}`), name, label, description: '', logo: '', categories: ['distribution'] },
  ...{ created_at: released, updated_at: released, valid_until: null },
})
