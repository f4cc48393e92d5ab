import { join } from 'node:path'
import { execa } from 'execa'
import { openCloud } from './cloud.ts'
import type { Bench } from './run.ts'
import { wish } from './tenants.ts'

const stages = ['clients', 'inventory', 'plan', 'deploy', 'most'] as const

/** How large the process that deploys gets; the cloud is another process: this one. */
export const memory: Bench = async () => {
  const rows: string[][] = []
  for (const tenants of [2, 50, 200]) {
    const wished = await wish(tenants)
    const cloud = await openCloud({ scale: 0.01 })
    try {
      const weigh = join(import.meta.dirname, 'weigh.ts')
      const { stdout } = await execa(process.execPath, [weigh, cloud.url, wished.root], { timeout: 400_000 })
      const megabytes = JSON.parse(stdout) as Record<string, number>
      rows.push([`${tenants}`, ...stages.map(it => `${megabytes[it]}`)])
    } finally {
      await cloud.close()
      await wished.remove()
    }
  }
  return {
    title: 'Resident memory of the process that deploys, in MB, after each stage',
    head: ['tenants', ...stages.map(it => (it === 'most' ? 'most (< 200)' : it))],
    rows,
    notes: ['with nothing done the process has what Node, the SDK, zod, ssh2 and yaml take: see clients'],
  }
}
