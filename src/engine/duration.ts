const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** `90s` in milliseconds. The inventory lets no other text through. */
export const millis = (duration: string): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration) ?? []
  if (amount === undefined) throw new RangeError(`not a duration: ${duration}`)
  return Number(amount) * unitMs[unit as keyof typeof unitMs]
}
