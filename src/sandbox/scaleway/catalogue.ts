import { uuidOf } from './cloud.ts'

/** Instance types as the product list tells them: architecture, cores, GiB, EUR an hour, Mbit/s, MiB/s of block. */
const rows: [string, 'x86_64' | 'arm64', number, number, number, number, number][] = [
  ['BASIC2-A2C-4G', 'arm64', 2, 4, 0.023, 200, 80],
  ['BASIC2-A2C-8G', 'arm64', 2, 8, 0.0345, 200, 80],
  ['BASIC2-A4C-8G', 'arm64', 4, 8, 0.0517, 400, 120],
  ['BASIC2-A4C-16G', 'arm64', 4, 16, 0.0689, 400, 120],
  ['DEV1-S', 'x86_64', 2, 2, 0.008976, 200, 100],
  ['DEV1-M', 'x86_64', 3, 4, 0.020196, 300, 150],
  ['DEV1-L', 'x86_64', 4, 8, 0.04284, 400, 200],
  ['DEV1-XL', 'x86_64', 4, 12, 0.065076, 500, 250],
  ['GP1-XS', 'x86_64', 4, 16, 0.09282, 500, 300],
  ['PLAY2-PICO', 'x86_64', 1, 2, 0.01428, 100, 40],
  ['PLAY2-NANO', 'x86_64', 2, 4, 0.02754, 200, 80],
  ['PLAY2-MICRO', 'x86_64', 4, 8, 0.05508, 400, 160],
  ['PRO2-XXS', 'x86_64', 2, 8, 0.0561, 350, 125],
  ['PRO2-XS', 'x86_64', 4, 16, 0.1122, 700, 250],
  ['PRO2-S', 'x86_64', 8, 32, 0.22338, 1500, 500],
  ['PRO2-M', 'x86_64', 16, 64, 0.44676, 3000, 1000],
  ['PRO2-L', 'x86_64', 32, 128, 0.89454, 6000, 2000],
  ['STARDUST1-S', 'x86_64', 1, 1, 0.0006, 100, 50],
]

/** Not eligible for cluster pools. */
export const tooSmallForNodes = ['dev1_s', 'play2_pico', 'stardust1_s']

export const serverTypes = Object.fromEntries(
  rows.map(([name, arch, ncpus, gib, hourly, mbits, mibs]) => {
    const bandwidth = mbits * 1e6
    return [
      name,
      {
        ...{ alt_names: [], arch, ncpus, ram: gib * 2 ** 30, gpu: 0, gpu_info: null, mig_profile: null },
        volumes_constraint: { min_size: 0, max_size: 0 },
        per_volume_constraint: { l_ssd: { min_size: 0, max_size: 0 } },
        ...{ scratch_storage_max_size: 0, scratch_storage_max_volumes_count: 0 },
        ...{ monthly_price: Number((hourly * 730).toFixed(6)), hourly_price: hourly },
        capabilities: {
          ...{ boot_types: ['local', 'rescue'], placement_groups: true, block_storage: true },
          ...{ hot_snapshots_local_volume: false, private_network: 8, max_file_systems: 0 },
        },
        network: {
          ...{ ipv6_support: true, sum_internal_bandwidth: bandwidth, sum_internet_bandwidth: bandwidth },
          interfaces: [{ internal_bandwidth: bandwidth, internet_bandwidth: bandwidth }],
        },
        block_bandwidth: mibs * 2 ** 20,
        end_of_service: false,
      },
    ]
  }),
)

export type Image = { id: string; label: string; name: string; arch: string; zone: string; type: string }

const labels = {
  ubuntu_noble: 'Ubuntu 24.04 Noble Numbat',
  ubuntu_jammy: 'Ubuntu 22.04 Jammy Jellyfish',
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
