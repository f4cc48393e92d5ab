import { readFileSync } from 'node:fs'

const source = new URL('../../templates/usr/local/lib/kapsule-egress/watch', import.meta.url)

/** The metrics that our watch writes, by its own source. */
export const watched = (): Set<string> =>
  new Set([...readFileSync(source, 'utf8').matchAll(/\$metric->\('(\w+)'/g)].map(it => it[1]!))

/** The metrics that expressions ask for, without labels. */
export const metricsOf = (exprs: string[]): Set<string> =>
  new Set(exprs.flatMap(it => it.replace(/\{[^}]*\}/g, ' ').match(/\b(egress|squid|node)_\w+/g) ?? []))
