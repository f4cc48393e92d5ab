import { Problem } from '../engine/problem.ts'
import type { Scaleway } from './client.ts'

/** The image of a marketplace label today: ids differ by zone and change with every release, so they are never compared. */
export const imageId = async ({ marketplace, lists, zone }: Scaleway, label: string, type: string): Promise<string> => {
  const all = await lists.next(`image ${label} ${zone}`, () =>
    marketplace.listLocalImages({ imageLabel: label, zone: zone as 'fr-par-1', type: 'instance_sbs' }).all(),
  )
  const fits = all.filter(it => it.compatibleCommercialTypes.some(one => one.toUpperCase() === type.toUpperCase()))
  const found = fits.find(it => it.arch === 'x86_64') ?? fits[0]
  if (found) return found.id
  throw new Problem(`there is no image ${label} for a ${type} in ${zone}`, {
    why: all.length === 0 ? 'the marketplace has no image of that label here' : 'the image does not run on that type',
    next: 'correct proxy.image or proxy.type in the inventory, e.g. ubuntu_noble and PLAY2-PICO',
    exit: 2,
  })
}
