import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Answer,
  bytes4,
  bytes6,
  nameWire,
  type Question,
  readQuestion,
  record,
  reply,
  types,
} from './dns-message.ts'

/**
 * A name server that plays tricks, run in a namespace: `name-server.ts SETTINGS`. It takes further names as JSON lines on
 * its input, and tells what it was asked since the start when it reads `report`.
 */
type Settings = { address: string; zone: Record<string, Answer>; otherwise: Answer }

const settings = JSON.parse(process.argv[2]!) as Settings
const zone = new Map(Object.entries(settings.zone))
const asked = new Map<string, number>()
const turns = new Map<string, number>()

/** `*.x.test` stands for all names below that have no line of their own. */
const find = (name: string): Answer => {
  const labels = name.split('.')
  const found = [name, ...labels.map((_, n) => `*.${labels.slice(n + 1).join('.')}`)].find(it => zone.has(it))
  const answer = found === undefined ? settings.otherwise : zone.get(found)!
  if (!answer.turns) return answer
  const turn = turns.get(name) ?? 0
  return answer.turns[turn % answer.turns.length]!
}

const recordsOf = (name: string, type: number, depth = 0): { rcode: number; records: Buffer[] } => {
  const it = find(name)
  const ttl = it.ttl ?? 60
  if (it.cname && depth < 20) {
    const { rcode, records } = recordsOf(it.cname, type, depth + 1)
    return { rcode, records: [record(name, types.cname, ttl, nameWire(it.cname)), ...records] }
  }
  if (it.rcode) return { rcode: it.rcode, records: [] }
  const [list, wire] = type === types.a ? [it.a, bytes4] : type === types.aaaa ? [it.aaaa, bytes6] : [[], bytes4]
  return { rcode: 0, records: (list ?? []).map(address => record(name, type, ttl, wire(address))) }
}

const answer = async (message: Buffer): Promise<{ question: Question; rcode: number; records: Buffer[] } | null> => {
  const question = readQuestion(message)
  const { name, type } = question
  asked.set(name, (asked.get(name) ?? 0) + 1)
  const it = find(name)
  if (it.silent) return null
  if (it.delayMs) await sleep(it.delayMs)
  const found = recordsOf(name, type)
  if (zone.get(name)?.turns && type === types.a) turns.set(name, (turns.get(name) ?? 0) + 1)
  return { question, ...found }
}

const udp = createSocket('udp4')
udp.on('message', (message, from) => {
  void answer(message).then(it => {
    if (!it) return
    const whole = reply(it.question, it.rcode, it.records)
    udp.send(whole.length > 512 ? reply(it.question, 0, [], true) : whole, from.port, from.address)
  })
})

const tcp = createServer(socket => {
  let seen = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', chunk => {
    seen = Buffer.concat([seen, chunk])
    while (seen.length >= 2 && seen.length >= 2 + seen.readUInt16BE(0)) {
      const message = seen.subarray(2, 2 + seen.readUInt16BE(0))
      seen = seen.subarray(2 + message.length)
      void answer(message).then(it => {
        if (!it) return
        const whole = reply(it.question, it.rcode, it.records)
        const length = Buffer.alloc(2)
        length.writeUInt16BE(whole.length, 0)
        socket.write(Buffer.concat([length, whole]))
      })
    }
  })
})

createInterface({ input: process.stdin }).on('line', line => {
  if (line === 'report') return void console.log(JSON.stringify(Object.fromEntries(asked)))
  for (const [name, it] of Object.entries(JSON.parse(line) as Settings['zone'])) zone.set(name, it)
  console.log('{}')
})
// Its parent is gone.
process.stdin.on('end', () => process.exit())
tcp.listen(53, settings.address, () => udp.bind(53, settings.address, () => console.log('"ready"')))
