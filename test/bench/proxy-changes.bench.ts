import { loadProxy } from '../support/proxy-load.ts'
import { openLab, ours, policyOf, zone } from './proxy/lab.ts'
import type { Bench } from './run.ts'

const [changes, clients] = [200, 100]

/** Policies change again and again while clients ask and hold tunnels: nothing may fail, and no tunnel may end. */
export const proxyChanges: Bench = async () => {
  const lab = await openLab()
  const stop = new AbortController()
  try {
    const pid = lab.host.sh('cat /run/squid.pid')
    const loading = loadProxy(
      { host: lab.address, port: ours },
      { clients, url: `http://a.${zone}/`, target: `a.${zone}:443`, signal: stop.signal },
    )
    const began = performance.now()
    for (let n = 0; n < changes; n++) await lab.install(policyOf([`.${zone}`, `n${n}.elsewhere.test`]), 'policy')
    const seconds = (performance.now() - began) / 1000
    stop.abort()
    const load = await loading
    const revisions = Number(
      lab.host.sh(`grep -o '"revision":"[0-9a-f-]*"' /var/log/squid/audit.log | sort -u | wc -l`),
    )
    if (lab.host.sh('cat /run/squid.pid') !== pid) throw new Error('Squid was started again')
    return {
      title: `${changes} policy changes over SSH while ${clients} clients ask and hold a tunnel each`,
      head: [
        'seconds',
        'requests',
        'failed (0)',
        'tunnels',
        'dropped (0)',
        'slowest request ms',
        'revisions in the log',
      ],
      rows: [
        [
          seconds.toFixed(0),
          `${load.requests}`,
          `${load.failed.length}`,
          `${load.tunnels}`,
          `${load.dropped.length}`,
          `${load.worstMs}`,
          `${revisions}`,
        ],
      ],
      notes: [...load.failed, ...load.dropped].slice(0, 10),
    }
  } finally {
    stop.abort()
    await lab.down()
  }
}
