/** What a name server says of one name. Rcodes are those of RFC 1035: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
export type Answer = {
  a?: string[]
  aaaa?: string[]
  /** In this same answer come the records of the name it points to. */
  cname?: string
  rcode?: number
  ttl?: number
  delayMs?: number
  /** No answer ever. */
  silent?: true
  /** Another answer each time it is asked, in turn. */
  turns?: Answer[]
}

export type Question = { id: number; name: string; type: number; wire: Buffer }

export const types = { a: 1, cname: 5, aaaa: 28 }

export const readQuestion = (message: Buffer): Question => {
  const labels: string[] = []
  let at = 12
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 1),
    wire: message.subarray(12, at + 5),
  }
}

/** The whole message; `records` are put in the answer section in their order. */
export const reply = ({ id, wire }: Question, rcode: number, records: Buffer[], truncated = false): Buffer => {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(0x8580 | (truncated ? 0x0200 : 0) | rcode, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(truncated ? 0 : records.length, 6)
  return Buffer.concat([head, wire, ...(truncated ? [] : records)])
}

export const record = (name: string, type: number, ttl: number, data: Buffer): Buffer => {
  const rest = Buffer.alloc(10)
  rest.writeUInt16BE(type, 0)
  rest.writeUInt16BE(1, 2)
  rest.writeUInt32BE(ttl, 4)
  rest.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameWire(name), rest, data])
}

export const nameWire = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map(it => Buffer.concat([Buffer.from([it.length]), Buffer.from(it, 'latin1')])),
    Buffer.from([0]),
  ])

export const bytes4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number))

/** Any right spelling of an IPv6 address, also with a dotted tail. */
export const bytes6 = (address: string): Buffer => {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...it: string[]) => {
    const [a, b, c, d] = it.slice(0, 4).map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [before = '', after] = hex.split('::')
  const groups = (text: string) => (text ? text.split(':').map(it => Number.parseInt(it, 16)) : [])
  const [first, last] = [groups(before), groups(after ?? '')]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap(it => [it >> 8, it & 255]))
}
