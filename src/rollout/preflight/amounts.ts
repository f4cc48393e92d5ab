/** A share like 25% of a total, or the number itself. */
export const resolve = (
  value: number | string | undefined,
  total: number,
  round: (value: number) => number,
): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  return percent === undefined ? Number(value) : round((total * Number(percent)) / 100)
}

const units: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
}

/** `100m`, `2`, `1.5Gi` as a number; NaN: none. */
export const quantity = (text: string | number | undefined): number => {
  const [, amount, unit = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(text ?? 0)) ?? []
  return amount === undefined ? Number.NaN : Number(amount) * (unit === '' ? 1 : (units[unit] ?? Number.NaN))
}
