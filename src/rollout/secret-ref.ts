import { readFile } from 'node:fs/promises'
import { Problem } from '../engine/problem.ts'

/** Where a secret is, never what it is. */
export type SecretRef = { env?: string | undefined; file?: string | undefined }

/** Read when it is used. Throws a Problem that names the place. */
export const readSecret = async ({ env, file }: SecretRef): Promise<string> => {
  const text = env !== undefined ? process.env[env] : await readFile(file ?? '', 'utf8').catch(() => undefined)
  if (text?.trim()) return text.trim()
  const place = env !== undefined ? `the variable ${env}` : `the file ${file}`
  throw new Problem(`a secret is missing: ${place}`, {
    why: `${place} is not there or empty`,
    next: 'set it, then run again',
  })
}

/** One that travels in a header. What cannot be is refused here: what fetch says of it holds the whole of it. */
export const readToken = async (ref: SecretRef): Promise<string> => {
  const token = await readSecret(ref)
  if (/^[\x21-\x7e]+$/.test(token)) return token
  const place = ref.env !== undefined ? `the variable ${ref.env}` : `the file ${ref.file}`
  throw new Problem(`${place} holds no token`, {
    why: 'a token is one word of plain letters, digits and signs; there is more in it',
    next: 'leave only the token there, then run again',
  })
}
