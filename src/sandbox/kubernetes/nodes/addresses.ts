/** IPv4 as numbers. */
export const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

export const toIp = (value: number): string =>
  [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')

export const range = (cidr: string): { first: number; size: number } => {
  const [ip, bits] = cidr.split('/')
  const size = 2 ** (32 - Number(bits ?? 32))
  return { first: Math.floor(toNumber(ip!) / size) * size, size }
}

export const isIn = (ip: string, cidr: string): boolean => {
  const { first, size } = range(cidr)
  const value = toNumber(ip)
  return value >= first && value < first + size
}

/**
 * The next free address of a range, going round so that one just given back rests. The first two (network and
 * gateway) and the last are never given. Undefined: all are taken.
 */
export const nextFree = (cidr: string, taken: Set<string>, after: string | undefined): string | undefined => {
  const { first, size } = range(cidr)
  const count = size - 3
  const start = after && isIn(after, cidr) ? toNumber(after) - first - 1 : 0
  for (let step = 0; step < count; step++) {
    const ip = toIp(first + 2 + ((start + step) % count))
    if (!taken.has(ip)) return ip
  }
  return undefined
}

/** The nth /24 of a range. */
export const share = (cidr: string, index: number): string | undefined => {
  const { first, size } = range(cidr)
  return (index + 1) * 256 <= size ? `${toIp(first + index * 256)}/24` : undefined
}
