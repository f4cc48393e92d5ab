import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClusters } from '../../src/sandbox/kubernetes/clusters.ts'
import { memoryPods } from '../rollout/cluster.ts'
import { openCloud } from './cloud.ts'
import { openCommands } from './commands.ts'
import type { Bench } from './run.ts'
import { wish } from './tenants.ts'

const most = 200
const steps: [title: string, code: number, script: string, ...args: string[]][] = [
  ['plan of everything', 3, 'deploy.mjs', '--check'],
  ['first deploy', 0, 'deploy.mjs', '--tags', 'gateway,proxy,cluster'],
  ['plan again', 0, '30-cluster.mjs', '--check'],
]

/** How large the real commands get; the cloud and its cluster are another process: this one. */
export const memory: Bench = async () => {
  const rows: string[][] = []
  for (const tenants of [2, 50, 200]) rows.push([`${tenants}`, ...(await weigh(tenants)).map(it => `${it}`)])
  if (rows.flatMap(row => row.slice(1)).some(it => Number(it) >= most)) process.exitCode = 1
  return {
    title: `The most resident memory of each command, in MB (< ${most})`,
    head: ['tenants', ...steps.map(([title]) => title)],
    rows,
    notes: ['a plan of everything has the hosts and the workloads in it, a deploy makes what is in the cloud'],
  }
}

const weigh = async (tenants: number): Promise<number[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'egress-bench-'))
  const clusters = await createClusters({ pods: memoryPods(), directory, onChange: () => undefined })
  const wished = await wish(tenants)
  const cloud = await openCloud({ scale: 0.01 }, clusters)
  const commands = openCommands(cloud.url, wished)
  try {
    await commands.weigh('deploy.mjs', '--check') // the first of all compiles what the others find compiled
    const all: number[] = []
    for (const [title, wanted, script, ...args] of steps) {
      const { code, megabytes } = await commands.weigh(script, ...args)
      if (code !== wanted) throw new Error(`${title}: ended with ${code} and not with ${wanted}`)
      all.push(megabytes)
    }
    return all
  } finally {
    await cloud.close()
    await clusters.close()
    await Promise.all([commands.remove(), wished.remove(), rm(directory, { recursive: true, force: true })])
  }
}
