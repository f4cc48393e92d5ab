/** An IPv4 range as numbers: `base` is its first address. */
export type Range = { base: number; length: number; size: number }

/** Null for what is not IPv4, has leading zeroes, or a bit set below its mask. */
export const parseRange = (cidr: string): Range | null => {
  const [address = '', mask, ...rest] = cidr.split('/')
  const base = parseAddress(address)
  const length = /^\d{1,2}$/.test(mask ?? '') ? Number(mask) : Number.NaN
  if (rest.length || base === null || !(length >= 0 && length <= 32)) return null
  const size = 2 ** (32 - length)
  return base % size === 0 ? { base, length, size } : null
}

export const parseAddress = (text: string): number | null => {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some(it => !/^(0|[1-9]\d{0,2})$/.test(it) || Number(it) > 255)) return null
  return parts.reduce((sum, it) => sum * 256 + Number(it), 0)
}

export const formatAddress = (value: number): string =>
  [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')

export const overlaps = (a: Range, b: Range): boolean => a.base < b.base + b.size && b.base < a.base + a.size

export const withoutMask = (address: string): string => address.split('/')[0]!

/** Ranges a private network may not have. */
export const excluded = ['0.0.0.0/8', '127.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '224.0.0.0/4'].map(
  it => parseRange(it)!,
)
