/**
 * The product list of fr-par-1 in July 2026: name, architecture, cores, GiB of memory, EUR an hour, Mbit/s inside and to
 * the internet, MiB/s of block storage, GB of local volumes and of one, GB of scratch storage and its volumes, file
 * systems, GPUs, and whether its end is announced.
 */
const table = `
BASIC2-A12C-24G     arm64  12  24   0.1578  1200  1200  320   0   0    0 0  0 0 0
BASIC2-A12C-48G     arm64  12  48   0.1807  1200  1200  320   0   0    0 0  0 0 0
BASIC2-A16C-32G     arm64  16  32   0.2067  1600  1600  480   0   0    0 0  0 0 0
BASIC2-A16C-64G     arm64  16  64   0.2756  1600  1600  480   0   0    0 0  0 0 0
BASIC2-A2C-4G       arm64   2   4    0.023   200   200   80   0   0    0 0  0 0 0
BASIC2-A2C-8G       arm64   2   8   0.0345   200   200   80   0   0    0 0  0 0 0
BASIC2-A4C-16G      arm64   4  16   0.0689   400   400  120   0   0    0 0  0 0 0
BASIC2-A4C-8G       arm64   4   8   0.0517   400   400  120   0   0    0 0  0 0 0
BASIC2-A6C-12G      arm64   6  12   0.0789   600   600  180   0   0    0 0  0 0 0
BASIC2-A6C-24G      arm64   6  24   0.0903   600   600  180   0   0    0 0  0 0 0
BASIC2-A8C-16G      arm64   8  16   0.1034   800   800  240   0   0    0 0  0 0 0
BASIC2-A8C-32G      arm64   8  32   0.1378   800   800  240   0   0    0 0  0 0 0
BASIC3-X12C-24G     x86_64 12  24   0.2711  2250  2250  750   0   0    0 0  4 0 0
BASIC3-X12C-48G     x86_64 12  48   0.3104  2250  2250  750   0   0    0 0  4 0 0
BASIC3-X16C-32G     x86_64 16  32 0.355247  3000  3000 1000   0   0    0 0  4 0 0
BASIC3-X16C-64G     x86_64 16  64 0.473285  3000  3000 1000   0   0    0 0  8 0 0
BASIC3-X2C-4G       x86_64  2   4 0.039449   350   350  125   0   0    0 0  1 0 0
BASIC3-X2C-8G       x86_64  2   8 0.059225   350   350  125   0   0    0 0  1 0 0
BASIC3-X4C-16G      x86_64  4  16  0.11845   700   700  250   0   0    0 0  2 0 0
BASIC3-X4C-8G       x86_64  4   8 0.079001   700   700  250   0   0    0 0  1 0 0
BASIC3-X6C-12G      x86_64  6  12   0.1356  1050  1050  375   0   0    0 0  2 0 0
BASIC3-X6C-24G      x86_64  6  24   0.1553  1050  1050  375   0   0    0 0  2 0 0
BASIC3-X8C-16G      x86_64  8  16 0.177675  1500  1500  500   0   0    0 0  2 0 0
BASIC3-X8C-32G      x86_64  8  32 0.236797  1500  1500  500   0   0    0 0  4 0 0
COMPUTE3-X12C-24G   x86_64 12  24   0.3511  4000  4000  477   0   0  240 2  4 0 0
COMPUTE3-X16C-32G   x86_64 16  32   0.4682  4000  4000  477   0   0  320 4  4 0 0
COMPUTE3-X24C-48G   x86_64 24  48   0.7022  6000  6000  715   0   0  480 4  4 0 0
COMPUTE3-X2C-4G     x86_64  2   4   0.0585  4000   500  477   0   0   40 1  1 0 0
COMPUTE3-X32C-64G   x86_64 32  64   0.9363  8000  8000  954   0   0  640 4  8 0 0
COMPUTE3-X48C-96G   x86_64 48  96    1.397 16000 16000 1907   0   0  960 8  8 0 0
COMPUTE3-X4C-8G     x86_64  4   8    0.117  4000  1000  477   0   0   80 2  2 0 0
COMPUTE3-X64C-128G  x86_64 64 128   1.8726 16000 16000 1907   0   0 1280 8  8 0 0
COMPUTE3-X6C-12G    x86_64  6  12   0.1756  4000  1500  477   0   0  120 2  3 0 0
COMPUTE3-X8C-16G    x86_64  8  16   0.2341  4000  2000  477   0   0  160 2  4 0 0
COMPUTE3-X96C-192G  x86_64 96 192    2.794 16000 16000 1907   0   0 1280 8  8 0 0
DEV1-L              x86_64  4   8  0.04284   400   400  200  80 800    0 0  0 0 0
DEV1-M              x86_64  3   4 0.020196   300   300  150  40 800    0 0  0 0 0
DEV1-S              x86_64  2   2 0.008976   200   200  100  20 800    0 0  0 0 0
DEV1-XL             x86_64  4  12 0.065076   500   500  250 120 800    0 0  0 0 0
GP1-L               x86_64 32 128  0.77418  5000  5000 1024 600 800    0 0  0 0 0
GP1-M               x86_64 16  64  0.38352  1500  1500  800 600 800    0 0  0 0 0
GP1-S               x86_64  8  32  0.19074   800   800  500 300 800    0 0  0 0 0
GP1-XL              x86_64 48 256  1.67382 10000 10000 2048 600 800    0 0  0 0 0
GP1-XS              x86_64  4  16  0.09282   500   500  300 150 800    0 0  0 0 0
L4-1-24G            x86_64  8  48   0.7875  2500  2500 1000   0   0    0 0  2 1 0
L4-2-24G            x86_64 16  96    1.575  5000  5000 1500   0   0    0 0  4 2 0
L4-4-24G            x86_64 32 192     3.15 10000 10000 2500   0   0    0 0  8 4 0
L4-8-24G            x86_64 64 384      6.3 20000 20000 5000   0   0    0 0 16 8 0
MEMORY3-X12C-96G    x86_64 12  96   0.6798  4000  4000  477   0   0  240 2  4 0 0
MEMORY3-X16C-128G   x86_64 16 128   0.9064  4000  4000  477   0   0  320 4  4 0 0
MEMORY3-X2C-16G     x86_64  2  16   0.1133  4000   500  477   0   0   40 1  1 0 0
MEMORY3-X32C-256G   x86_64 32 256   1.8128  8000  8000  954   0   0  640 4  8 0 0
MEMORY3-X48C-384G   x86_64 48 384    2.717 16000 16000 1907   0   0  960 8  8 0 0
MEMORY3-X4C-32G     x86_64  4  32   0.2266  4000  1000  477   0   0   80 2  2 0 0
MEMORY3-X6C-48G     x86_64  6  48   0.3399  4000  1500  477   0   0  120 2  3 0 0
MEMORY3-X8C-64G     x86_64  8  64   0.4532  4000  2000  477   0   0  160 2  4 0 0
PLAY2-MICRO         x86_64  4   8  0.05508   400   400  160   0   0    0 0  0 0 0
PLAY2-NANO          x86_64  2   4  0.02754   200   200   80   0   0    0 0  0 0 0
PLAY2-PICO          x86_64  1   2  0.01428   100   100   40   0   0    0 0  0 0 0
POP2-12C-48G        x86_64 12  48    0.435  2400  2400 2400   0   0    0 0  3 0 0
POP2-16C-64G        x86_64 16  64     0.59  3200  3200 3200   0   0    0 0  4 0 0
POP2-16C-64G-WIN    x86_64 16  64   1.4567  3200  3200 3200   0   0    0 0  0 0 0
POP2-24C-96G        x86_64 24  96    0.885  4800  4800 3200   0   0    0 0  6 0 0
POP2-2C-8G          x86_64  2   8   0.0735   400   400  400   0   0    0 0  1 0 0
POP2-2C-8G-WIN      x86_64  2   8   0.1823   400   400  400   0   0    0 0  0 0 0
POP2-32C-128G       x86_64 32 128     1.18  6400  6400 5632   0   0    0 0  8 0 0
POP2-32C-128G-WIN   x86_64 32 128   2.9133  6400  6400 5632   0   0    0 0  0 0 0
POP2-48C-192G       x86_64 48 192     1.77  9600  9600 5632   0   0    0 0 12 0 0
POP2-4C-16G         x86_64  4  16    0.147   800   800  800   0   0    0 0  1 0 0
POP2-4C-16G-WIN     x86_64  4  16   0.3637   800   800  800   0   0    0 0  0 0 0
POP2-64C-256G       x86_64 64 256     2.35 12800 12800 5632   0   0    0 0 16 0 0
POP2-6C-24G         x86_64  6  24    0.225  1200  1200 1200   0   0    0 0  1 0 0
POP2-8C-32G         x86_64  8  32     0.29  1600  1600 1600   0   0    0 0  2 0 0
POP2-8C-32G-WIN     x86_64  8  32   0.7233  1600  1600 1600   0   0    0 0  0 0 0
POP2-HC-12C-24G     x86_64 12  24   0.3192  2400  2400 2400   0   0    0 0  3 0 0
POP2-HC-16C-32G     x86_64 16  32   0.4256  3200  3200 3200   0   0    0 0  4 0 0
POP2-HC-24C-48G     x86_64 24  48   0.6384  4800  4800 3200   0   0    0 0  6 0 0
POP2-HC-2C-4G       x86_64  2   4   0.0532   400   400  400   0   0    0 0  1 0 0
POP2-HC-32C-64G     x86_64 32  64   0.8512  6400  6400 5632   0   0    0 0  8 0 0
POP2-HC-48C-96G     x86_64 48  96     1.27  9600  9600 5632   0   0    0 0 12 0 0
POP2-HC-4C-8G       x86_64  4   8   0.1064   800   800  800   0   0    0 0  1 0 0
POP2-HC-64C-128G    x86_64 64 128   1.7024 12800 12800 5632   0   0    0 0 16 0 0
POP2-HC-6C-12G      x86_64  6  12   0.1596  1200  1200 1200   0   0    0 0  1 0 0
POP2-HC-8C-16G      x86_64  8  16   0.2128  1600  1600 1600   0   0    0 0  2 0 0
POP2-HM-12C-96G     x86_64 12  96    0.618  2400  2400 2400   0   0    0 0  3 0 0
POP2-HM-16C-128G    x86_64 16 128    0.824  3200  3200 3200   0   0    0 0  4 0 0
POP2-HM-24C-192G    x86_64 24 192    1.236  4800  4800 3200   0   0    0 0  6 0 0
POP2-HM-2C-16G      x86_64  2  16    0.103   400   400  400   0   0    0 0  2 0 0
POP2-HM-32C-256G    x86_64 32 256    1.648  6400  6400 5632   0   0    0 0  8 0 0
POP2-HM-48C-384G    x86_64 48 384     2.47  9600  9600 5632   0   0    0 0 12 0 0
POP2-HM-4C-32G      x86_64  4  32    0.206   800   800  800   0   0    0 0  1 0 0
POP2-HM-64C-512G    x86_64 64 512    3.296 12800 12800 5632   0   0    0 0 16 0 0
POP2-HM-6C-48G      x86_64  6  48    0.309  1200  1200 1200   0   0    0 0  1 0 0
POP2-HM-8C-64G      x86_64  8  64    0.412  1600  1600 1600   0   0    0 0  2 0 0
POP2-HN-10          x86_64  4   8   0.7264 10000 10000  800   0   0    0 0  1 0 0
POP2-HN-3           x86_64  2   4   0.2554  3000  3000  400   0   0    0 0  1 0 0
POP2-HN-5           x86_64  4   8   0.4524  5000  5000  800   0   0    0 0  1 0 0
PRO2-L              x86_64 32 128  0.89454  6000  6000 2000   0   0    0 0  0 0 0
PRO2-M              x86_64 16  64  0.44676  3000  3000 1000   0   0    0 0  0 0 0
PRO2-S              x86_64  8  32  0.22338  1500  1500  500   0   0    0 0  0 0 0
PRO2-XS             x86_64  4  16   0.1122   700   700  250   0   0    0 0  0 0 0
PRO2-XXS            x86_64  2   8   0.0561   350   350  125   0   0    0 0  0 0 0
RENDER-S            x86_64 10  42    1.221  2000  2000 2048 400 800    0 0  0 1 0
STANDARD2-A12C-48G  arm64  12  48   0.3068  2400  2400 2400   0   0    0 0  4 0 0
STANDARD2-A16C-64G  arm64  16  64   0.5039  3200  3200 3200   0   0    0 0  4 0 0
STANDARD2-A24C-96G  arm64  24  96   0.6551  4800  4800 4800   0   0    0 0  6 0 0
STANDARD2-A2C-8G    arm64   2   8   0.0586   400   400  400   0   0    0 0  1 0 0
STANDARD2-A32C-128G arm64  32 128   1.1978  6400  6400 4800   0   0    0 0  8 0 0
STANDARD2-A48C-192G arm64  48 192   1.5117  9600  9600 4800   0   0    0 0  8 0 0
STANDARD2-A4C-16G   arm64   4  16   0.1171   800   800  800   0   0    0 0  2 0 0
STANDARD2-A64C-256G arm64  64 256   2.0142 12800 12800 4800   0   0    0 0  8 0 0
STANDARD2-A6C-24G   arm64   6  24   0.1533  1200  1200 1200   0   0    0 0  3 0 0
STANDARD2-A8C-32G   arm64   8  32   0.2343  1600  1600 1600   0   0    0 0  4 0 0
STANDARD3-X12C-48G  x86_64 12  48   0.4626  4000  4000  477   0   0  240 2  4 0 0
STANDARD3-X16C-64G  x86_64 16  64    0.649  4000  4000  477   0   0  320 4  4 0 0
STANDARD3-X24C-96G  x86_64 24  96   0.9411  6000  6000  715   0   0  480 4  6 0 0
STANDARD3-X2C-8G    x86_64  2   8   0.0809  4000   500  477   0   0   40 1  1 0 0
STANDARD3-X32C-128G x86_64 32 128    1.298  8000  8000  954   0   0  640 4  8 0 0
STANDARD3-X48C-192G x86_64 48 192    1.947 16000 16000 1907   0   0  960 8  8 0 0
STANDARD3-X4C-16G   x86_64  4  16   0.1617  4000  1000  477   0   0   80 2  2 0 0
STANDARD3-X64C-256G x86_64 64 256    2.585 16000 16000 1907   0   0 1280 8  8 0 0
STANDARD3-X6C-24G   x86_64  6  24   0.2425  4000  1500  477   0   0  120 2  3 0 0
STANDARD3-X8C-32G   x86_64  8  32    0.319  4000  2000  477   0   0  160 2  4 0 0
STARDUST1-S         x86_64  1   1   0.0006   100   100   50  10 800    0 0  0 0 0
START1-L            x86_64  8   8   0.0368   400   400   40 200 800    0 0  0 0 1
START1-M            x86_64  4   4   0.0194   300   300   40 100 800    0 0  0 0 1
START1-S            x86_64  2   2   0.0106   200   200   40  50 800    0 0  0 0 1
START1-XS           x86_64  1   1   0.0062   100   100   40  25 800    0 0  0 0 1
VC1L                x86_64  6   8  0.02468   200   200   40 200 800    0 0  0 0 1
VC1M                x86_64  4   4  0.01555   200   200   40 100 800    0 0  0 0 1
VC1S                x86_64  2   2  0.00862   200   200   40  50 800    0 0  0 0 1
X64-120GB           x86_64 12 120  0.42574  1000  1000   40 800 800    0 0  0 0 1
X64-15GB            x86_64  6  15  0.06032   250   250   40 200 800    0 0  0 0 1
X64-30GB            x86_64  8  30  0.11906   500   500   40 400 800    0 0  0 0 1
X64-60GB            x86_64 10  60    0.213  1000  1000   40 700 800    0 0  0 0 1
`

const gib = 2 ** 30
const gb = 1e9

const nvidia = (name: string) => ({
  gpu_manufacturer: 'NVIDIA',
  gpu_name: name.startsWith('L4') ? 'L4' : 'P100',
  gpu_memory: (name.startsWith('L4') ? 24 : 16) * gib,
})

const shown = (line: string) => {
  const [name = '', arch = '', ...columns] = line.split(/ +/)
  const [cores, memory, eur, inside, outside, block, most, local, scratch, disks, files, gpus, ending] = columns.map(
    Number,
  ) as Thirteen
  const ssd = { min_size: local ? gb : 0, max_size: local * gb }
  const [internal_bandwidth, internet_bandwidth] = [inside * 1e6, outside * 1e6]
  const type = {
    ...{ alt_names: [] as string[], arch, ncpus: cores, ram: memory * gib },
    ...{ gpu: gpus, gpu_info: gpus ? nvidia(name) : null, mig_profile: null },
    ...{ volumes_constraint: { min_size: 0, max_size: most * gb }, per_volume_constraint: { l_ssd: ssd } },
    ...{ scratch_storage_max_size: scratch * gb, scratch_storage_max_volumes_count: disks },
    ...{ monthly_price: Number((eur * 730).toFixed(6)), hourly_price: eur },
    capabilities: {
      ...{ boot_types: ['local', 'rescue'], placement_groups: true, block_storage: true },
      ...{ hot_snapshots_local_volume: local > 0, private_network: 8, max_file_systems: files },
    },
    network: {
      ...{ ipv6_support: true, sum_internal_bandwidth: internal_bandwidth },
      ...{ sum_internet_bandwidth: internet_bandwidth, interfaces: [{ internal_bandwidth, internet_bandwidth }] },
    },
    ...{ block_bandwidth: block * 2 ** 20, end_of_service: ending === 1 },
  }
  return [name, type] as const
}

type Thirteen = [number, number, number, number, number, number, number, number, number, number, number, number, number]

/** By name, as the product list tells them. */
export const serverTypes = Object.fromEntries(table.trim().split('\n').map(shown))
