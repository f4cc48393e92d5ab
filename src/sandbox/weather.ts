import { readFileSync } from 'node:fs'
import type { Conditions } from './scaleway/conditions.ts'
import { Trouble } from './trouble.ts'

const path = '/emulator/conditions'

/** What goes wrong in the running cloud now; with a source (a JSON file, '-': standard input) after setting it. */
export const changeWeather = async (url: string, source: string | null, clear: boolean): Promise<Conditions> => {
  if (clear) await fetch(`${url}${path}`, { method: 'DELETE' })
  const given = source === null ? null : readSource(source)
  const answer = given === null ? await fetch(`${url}${path}`) : await fetch(`${url}${path}`, given)
  const body = (await answer.json()) as Conditions & { message?: string }
  if (!answer.ok) throw refused(body.message ?? `it answered ${answer.status}`)
  return body
}

const readSource = (source: string) => {
  try {
    const text = readFileSync(source === '-' ? 0 : source, 'utf8')
    return { method: 'PUT', body: JSON.stringify(JSON.parse(text)) }
  } catch (thrown) {
    throw refused(`${source === '-' ? 'standard input' : source}: ${(thrown as Error).message}`)
  }
}

const refused = (why: string) =>
  new Trouble('these conditions cannot be set', {
    why,
    next: 'a JSON object, for example {"faults":[{"on":{"method":"POST"},"times":1,"do":{"cut":"after"}}]}',
    exit: 2,
  })
