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
