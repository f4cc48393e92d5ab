import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Loose } from '../objects/object.ts'

/** The content type is exact: some clients take one with a charset for something else. */
export const sendJson = (response: ServerResponse, code: number, body: Loose, more: OutgoingHttpHeaders = {}): void => {
  const text = JSON.stringify(body)
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...more })
  response.end(text)
}
