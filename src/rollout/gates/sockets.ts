/** A TCP connection as the kernel lists it. Established (1) or still asking (2): other states say nothing here. */
export type Socket = { remote: string; port: number; state: 'established' | 'asking' }

const STATES: Record<string, Socket['state']> = { '01': 'established', '02': 'asking' }

/**
 * Connections in /proc/net/tcp and tcp6, one after the other; null: that is no such list. Addresses that IPv6 maps
 * are told as IPv4.
 * @see proc_net(5): addresses are in words of the machine's byte order, which is little-endian wherever pods run
 */
export const socketsIn = (text: string): Socket[] | null => {
  if (!/^ *sl +local_address/m.test(text)) return null
  return text.split('\n').flatMap(line => {
    const [, address = '', port = '', code = ''] =
      /^ *\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(line) ?? []
    const state = STATES[code]
    return state ? [{ remote: addressOf(address), port: Number.parseInt(port, 16), state }] : []
  })
}

const addressOf = (hex: string): string => {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex')].reverse())
  const mapped =
    bytes.length === 16 && bytes.slice(0, 10).every(it => it === 0) && bytes[10] === 255 && bytes[11] === 255
  if (bytes.length === 4 || mapped) return bytes.slice(-4).join('.')
  return Array.from({ length: 8 }, (_, n) => (((bytes[2 * n] ?? 0) << 8) | (bytes[2 * n + 1] ?? 0)).toString(16)).join(
    ':',
  )
}
