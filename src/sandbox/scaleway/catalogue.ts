import { uuidOf } from './cloud.ts'
import { serverTypes } from './server-types.ts'

export { serverTypes }

/** Not eligible for cluster pools. */
export const tooSmallForNodes = ['dev1_s', 'play2_pico', 'stardust1_s']

export type Image = { id: string; label: string; name: string; arch: string; zone: string; type: string }

const labels = {
  ubuntu_noble: 'Ubuntu 24.04 Noble Numbat',
  ubuntu_jammy: 'Ubuntu 22.04 Jammy Jellyfish',
  ubuntu_focal: 'Ubuntu 20.04 Focal Fossa',
  debian_bookworm: 'Debian Bookworm',
}

/** Images of a zone; ids differ by zone, architecture and storage type. */
export const imagesOf = (zone: string): Image[] =>
  Object.entries(labels).flatMap(([label, name]) =>
    ['instance_local', 'instance_sbs'].flatMap(type =>
      ['arm64', 'x86_64'].map(arch => ({
        id: uuidOf(`${label} ${type} ${arch} ${zone}`),
        label,
        name,
        arch,
        zone,
        type,
      })),
    ),
  )

/** What Kapsule boots its nodes from; in no list. */
export const nodeImage = (zone: string, arch: string): Image => ({
  ...{ id: uuidOf(`k8s_base_node_instance ${arch} ${zone}`), label: '', name: 'k8s_base_node_instance' },
  ...{ arch, zone, type: 'instance_sbs' },
})

const byZone = new Map<string, Map<string, Image>>()

/** Every answered server shows its image: the ids, which are digests, are made once a zone. */
export const findImage = (zone: string, id: string): Image | undefined => {
  const known =
    byZone.get(zone) ??
    new Map([...imagesOf(zone), nodeImage(zone, 'x86_64'), nodeImage(zone, 'arm64')].map(it => [it.id, it]))
  byZone.set(zone, known)
  return known.get(id)
}

export const typesFor = (arch: string): string[] =>
  Object.entries(serverTypes)
    .filter(([, it]) => it.arch === arch)
    .map(([name]) => name)
