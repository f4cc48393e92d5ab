import type { Wanting } from '../engine/desired.ts'
import { millis } from '../engine/duration.ts'
import { isRef } from '../engine/refs.ts'

/** What a tenant may take of its proxy, in the words of the inventory. */
export type Limits = {
  /** `10MB/s`, of all its requests together: each way. */
  bandwidth?: string | undefined
  /** Open at once from one client address. */
  connections?: number | undefined
  /** After which its clients' connections are cut. */
  tunnelLifetime?: string | undefined
}

const units = { KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** `10MB/s` in bytes each second. The inventory lets no other text through. */
export const bytesEachSecond = (bandwidth: string): number => {
  const [, amount, unit] = /^([1-9]\d*)(KB|MB|GB)\/s$/.exec(bandwidth) ?? []
  if (amount === undefined) throw new RangeError(`not a bandwidth: ${bandwidth}`)
  return Number(amount) * units[unit as keyof typeof units]
}

/** What squid.conf says of a tenant's limits. */
export const squidLimits = ({ bandwidth, connections }: Limits = {}) => ({
  received: bandwidth === undefined ? null : bytesEachSecond(bandwidth),
  connections: connections ?? null,
})

type Limited = { name: string; port: number; clients: Wanting<string[]>; limits?: Limits | undefined }

/** What the kernel limits, by port and source; without sources, by port alone, which then is the tenant's own. */
export const kernelLimits = (tenants: readonly Limited[]) =>
  tenants.flatMap(({ name, port, clients, limits: { bandwidth, tunnelLifetime } = {} }) =>
    bandwidth === undefined && tunnelLifetime === undefined
      ? []
      : [
          {
            ...{ name, port },
            sources: (isRef(clients) ? [] : (clients as string[])).map(cidr => ({
              ...{ cidr, family: cidr.includes(':') ? 'ip6' : 'ip' },
            })),
            sent: bandwidth === undefined ? null : bytesEachSecond(bandwidth),
            lifetime: tunnelLifetime === undefined ? null : Math.ceil(millis(tunnelLifetime) / 1000),
          },
        ],
  )

export const limitsScript = '/usr/local/lib/kapsule-egress/client-limits'

/** After the script changed, or went. */
export const putLimits = `if [ -x ${limitsScript} ]; then ${limitsScript}; else nft delete table inet kapsule_egress_limits 2>/dev/null || :; fi`
