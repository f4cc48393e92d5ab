import { join } from 'node:path'
import { execa } from 'execa'
import { newHostKey } from '../../../src/hosts/cloud-init.ts'
import { makeHost, type TestHost } from '../../support/host.ts'
import type { Bench } from '../run.ts'

/** One run on hundreds of hosts that have sshd only: how long a change and a look take, and how large we get. */
export const many: Bench = async () => {
  const most = Number(process.env.EGRESS_BENCH_MANY ?? '500')
  // Every host listens for the end of this process.
  process.setMaxListeners(0)
  const operator = newHostKey('operator')
  const hosts: TestHost[] = []
  const rows: string[][] = []
  try {
    for (const n of [...new Set([Math.ceil(most / 10), Math.ceil(most / 2), most])]) {
      while (hosts.length < n)
        hosts.push(
          ...(await Promise.all(
            Array.from({ length: Math.min(4, n - hosts.length) }, (_, at) =>
              makeHost(hosts.length + at, { first: '198.18.0.0', operator }),
            ),
          )),
        )
      const addresses = hosts.slice(0, n).map((it, at) => ({ ...it.address, name: `h${at + 1}` }))
      for (const what of ['a change', 'no change']) {
        const began = performance.now()
        const { stdout } = await execa(process.execPath, [join(import.meta.dirname, 'many.ts'), `${n}`], {
          input: JSON.stringify(addresses),
          timeout: 900_000,
        })
        const seconds = (performance.now() - began) / 1000
        const { megabytes } = JSON.parse(stdout) as { megabytes: number }
        rows.push([`${n}`, what, seconds.toFixed(1), `${((seconds / n) * 1000).toFixed(0)}`, `${megabytes}`])
      }
    }
  } finally {
    for (const it of hosts) await it.down()
  }
  return {
    title: 'One run on many hosts of this machine, 64 at once',
    head: ['hosts', 'what', 's', 'ms a host', 'MB at most (< 300)'],
    rows,
  }
}
