import { stringify } from 'yaml'
import { Problem } from '../src/engine/problem.ts'
import { exporterPorts } from '../src/hosts/monitoring.ts'
import { type Context, machinesIn } from '../src/inventory/context.ts'
import { isInside } from '../src/inventory/ranges.ts'

type Scrape = { job: string; port: number }

/** What Prometheus reads of a context's proxies: targets from the inventory, the proxies themselves are asked nothing. */
export const scrapeOf = (context: Context, rules: string) => {
  const { monitoring } = context
  if (!monitoring)
    throw new Problem(`nobody may ask the proxies of ${context.context} for metrics`, {
      why: 'context.yaml has no monitoring',
      next: 'write monitoring: { allow: [CIDR of Prometheus] } there, run 40-configure.mjs, then this again',
      exit: 2,
    })
  const outside = monitoring.allow.every(it => !isInside(it))
  const config = ({ job, port }: Scrape) => ({
    job_name: job,
    static_configs: machinesIn(context).map(({ proxy: { name, privateIp, existing } }) => ({
      targets: [`${(outside && existing?.publicIp) || privateIp}:${port}`],
      labels: { context: context.context, proxy: name },
    })),
  })
  return stringify(
    {
      global: { scrape_interval: '15s', evaluation_interval: '15s' },
      rule_files: [rules],
      scrape_configs: [
        config({ job: 'kapsule-egress-node', port: exporterPorts.node }),
        config({ job: 'kapsule-egress-squid', port: exporterPorts.squid }),
      ],
    },
    { lineWidth: 0 },
  )
}
