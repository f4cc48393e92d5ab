import type { Loose } from './object.ts'
import { Refused } from './status.ts'

/**
 * Some commands of kubectl send protobuf and cannot be told otherwise (`create namespace`, options of `delete`).
 * This reads the few kinds they send. Field numbers are those of the API's generated.proto files.
 */
type Field = [name: string, type: Type, repeated?: 'list']
type Type = 'string' | 'int' | 'bool' | 'base64' | 'time' | 'strings' | 'bytesMap' | Message
type Message = { [number: number]: Field }

const reference: Message = {
  5: ['apiVersion', 'string'],
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
}
const meta: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  8: ['creationTimestamp', 'time'],
  11: ['labels', 'strings'],
  12: ['annotations', 'strings'],
  13: ['ownerReferences', reference, 'list'],
  14: ['finalizers', 'string', 'list'],
}
const local: Message = { 1: ['name', 'string'] }

const kinds: Record<string, Message> = {
  Namespace: { 1: ['metadata', meta], 2: ['spec', { 1: ['finalizers', 'string', 'list'] }] },
  ConfigMap: { 1: ['metadata', meta], 2: ['data', 'strings'], 3: ['binaryData', 'bytesMap'], 4: ['immutable', 'bool'] },
  Secret: {
    1: ['metadata', meta],
    2: ['data', 'bytesMap'],
    3: ['type', 'string'],
    4: ['stringData', 'strings'],
    5: ['immutable', 'bool'],
  },
  ServiceAccount: { 1: ['metadata', meta], 3: ['imagePullSecrets', local, 'list'] },
  Scale: { 1: ['metadata', meta], 2: ['spec', { 1: ['replicas', 'int'] }] },
  SelfSubjectAccessReview: {
    1: ['metadata', meta],
    2: [
      'spec',
      {
        1: [
          'resourceAttributes',
          {
            1: ['namespace', 'string'],
            2: ['verb', 'string'],
            3: ['group', 'string'],
            4: ['version', 'string'],
            5: ['resource', 'string'],
            6: ['subresource', 'string'],
            7: ['name', 'string'],
          },
        ],
        2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }],
      },
    ],
  },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'int'],
    2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
    3: ['orphanDependents', 'bool'],
    4: ['propagationPolicy', 'string'],
    5: ['dryRun', 'string', 'list'],
  },
}

/** A body with the envelope `k8s\0`. Throws 415 for kinds it does not know. */
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
  }
  return result
}

const assign = (result: Loose, [name, type, repeated]: Field, value: bigint | Buffer) => {
  if (type === 'strings' || type === 'bytesMap') {
    const pair = readMessage(value as Buffer, {
      1: ['key', 'string'],
      2: ['value', type === 'strings' ? 'string' : 'base64'],
    })
    result[name] = { ...result[name], [pair.key ?? '']: pair.value ?? '' }
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
  return readMessage(value, type as Message)
}
