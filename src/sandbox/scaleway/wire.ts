import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, invalid } from './answer.ts'
import type { Body } from './fields.ts'

const mostBytes = 4 * 1024 * 1024

export const readBody = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > mostBytes) throw invalid({ argument_name: 'body', reason: 'constraint', help_message: 'is too large' })
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** The content type is exactly `application/json`: with a charset behind it the SDK refuses a success. */
export const send = (response: ServerResponse, { status, body, text, headers }: Answer, spaced: boolean) => {
  const content = text?.content ?? (body === undefined ? '' : spaced ? spacedJson(body) : JSON.stringify(body))
  // A 204 has a type too, and nothing of it.
  const type = text?.type ?? (body === undefined && status !== 204 ? undefined : 'application/json')
  response.writeHead(status, {
    ...(type ? { 'content-type': type } : {}),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(content) }),
    ...headers,
  })
  response.end(content)
}

/** JSON with a space after `:` and `,`, as the Instance API writes it. */
const spacedJson = (body: unknown): string =>
  // Line breaks inside strings are escaped, so those found here are the printer's own.
  JSON.stringify(body, null, 1).replace(/,\n */g, ', ').replace(/\n */g, '')

/** Nothing is an empty object; anything but an object is refused. */
export const parseBody = (raw: string): Body => {
  if (!raw.trim()) return {}
  try {
    const value: unknown = JSON.parse(raw)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body
  } catch {
    // falls through to the same refusal
  }
  throw invalid({ argument_name: 'body', reason: 'format', help_message: 'must be a JSON object' })
}
