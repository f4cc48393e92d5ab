/** One thing a first boot does; `body` runs under `sh -e` and its failure is noted, the next one runs all the same. */
export type BootStep = { name: string; body: string }

/** What cloud-init takes as one or as many. */
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value == null ? [] : [value])
