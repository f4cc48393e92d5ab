/** A field and the days, year-month-day, on which recordings first had it or first lacked it. */
type Life = { since?: string; until?: string }

/** Server types tell their scratch storage; before that day there is nothing. */
export const scratchSince = '2026-06-23'

const lives = {
  vpc: { transitivity_enabled: { since: '2026-06-23' }, s3_integration_enabled: { since: '2026-08-18' } },
  private_network: { has_s3_integration: { since: '2026-08-18' } },
  subnet: { region: { since: '2026-06-23' } },
  cluster: { new_images_enabled: { until: '2026-07-03' } },
  autoscaler: { skip_nodes_with_local_storage: { since: '2026-07-03' }, log_level: { since: '2026-07-03' } },
  pool: {
    new_images_enabled: { until: '2026-07-03' },
    ...{ labels: { since: '2026-07-03' }, taints: { since: '2026-07-03' }, startup_taints: { since: '2026-07-03' } },
    error_message: { since: '2026-07-03' },
  },
  server: {
    dns: { since: '2026-06-23' },
    admin_password_encryption_ssh_key_id: { since: '2026-06-23' },
    admin_password_encrypted_value: { since: '2026-06-23' },
  },
  server_type: { scratch_storage_max_volumes_count: { since: scratchSince } },
} satisfies Record<string, Record<string, Life>>

export const today = '9999-12-31'

/** Custom routes are propagated in a new VPC unless told otherwise; before that day, only when told to. */
export const customRoutesSince = '2025-10-30'

/** An answer as the API of that day gave it: without the fields of later days, with those it has lost since. */
export const asOf = (kind: keyof typeof lives, day: string, answer: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(answer).filter(([field]) => {
      const { since = '', until = today }: Life = (lives[kind] as Record<string, Life>)[field] ?? {}
      return day >= since && (day < until || until === today)
    }),
  )

/**
 * The day a request is from, where it shows: a client that leaves out what later ones always send, or sends what they
 * no longer do, is answered as it was then. Undefined: nothing shows.
 */
export const dayOf = {
  vpc: (body: object) => ('enable_routing' in body && !('enable_transitivity' in body) ? '2026-03-10' : undefined),
  cluster: ({ autoscaler_config: given }: { autoscaler_config?: unknown }) =>
    typeof given === 'object' && given !== null && !('skip_nodes_with_local_storage' in given)
      ? '2025-10-30'
      : undefined,
  server: (body: object) => ('enable_ipv6' in body ? '2025-11-04' : undefined),
}
