import type { Loose } from '../objects/object.ts'
import { Refused } from '../objects/status.ts'
import type { Field, Message, Type } from './protobuf-kinds.ts'
import { kinds } from './protobuf-kinds.ts'

/**
 * A body with the envelope `k8s\0`: some commands of kubectl send protobuf and cannot be told otherwise. Throws 415
 * for kinds it does not know.
 */
export const decodeProtobuf = (body: Buffer): Loose => {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw unsupported('the body has no envelope of Kubernetes')
  const { type, raw } = readMessage(body.subarray(4), {
    1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
    2: ['raw', 'base64'],
  })
  const message = kinds[type?.kind]
  if (!message) throw unsupported(`protobuf of ${type?.apiVersion} ${type?.kind} is not read here, use JSON`)
  return { apiVersion: type.apiVersion, kind: type.kind, ...readMessage(Buffer.from(raw ?? '', 'base64'), message) }
}

const unsupported = (message: string) => new Refused(415, 'UnsupportedMediaType', message)

const readMessage = (bytes: Buffer, message: Message): Loose => {
  const result: Loose = {}
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw unsupported('the protobuf body is cut off')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    let value: bigint | Buffer
    if (wire === 0) value = varint()
    else {
      const length = wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4
      value = bytes.subarray(at, at + length)
      at += length
    }
    const field = message[tag >> 3]
    if (field) assign(result, field, value)
    else if (message[0] && (typeof value === 'bigint' ? value !== 0n : value.length > 0))
      throw unsupported(`field ${tag >> 3} of this protobuf message is not read here, use JSON`)
  }
  return result
}

/** Maps by their type: what their values are. */
const mapped: Record<string, Type | undefined> = {
  strings: 'string',
  bytesMap: 'base64',
  quantities: { 1: ['string', 'string'] },
}

const assign = (result: Loose, [name, type, repeated]: Field, value: bigint | Buffer) => {
  const inner = mapped[type as string]
  if (inner) {
    const pair = readMessage(value as Buffer, { 1: ['key', 'string'], 2: ['value', inner] })
    result[name] = { ...result[name], [pair.key ?? '']: pair.value?.string ?? pair.value ?? '' }
  } else if (repeated) result[name] = [...(result[name] ?? []), decode(type, value)]
  else {
    const decoded = decode(type, value)
    // Protobuf of Go writes every string, also an empty one.
    if (decoded !== '' && decoded !== undefined) result[name] = decoded
  }
}

const decode = (type: Type, value: bigint | Buffer): Loose => {
  if (typeof value === 'bigint') return type === 'bool' ? value !== 0n : Number(BigInt.asIntN(64, value))
  if (type === 'string') return value.toString('utf8')
  if (type === 'base64') return value.toString('base64')
  if (type === 'time') return undefined
  if (type === 'intOrString') {
    const { kind, int = 0, text } = readMessage(value, { 1: ['kind', 'int'], 2: ['int', 'int'], 3: ['text', 'string'] })
    return kind === 1 ? text : int
  }
  return readMessage(value, type as Message)
}
