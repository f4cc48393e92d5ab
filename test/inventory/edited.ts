import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Problem, Problems } from '../../src/engine/problem.ts'
import { loadContext } from '../../src/inventory/load.ts'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const made: string[] = []

/** Removes every copy that was made. */
export const cleanUp = () => {
  for (const it of made.splice(0)) rmSync(it, { recursive: true })
}

/** A copy of the repository's inventory with texts replaced: file -> [from, to]. */
export const changed = (edits: Record<string, [from: string | RegExp, to: string][]>) => {
  const copy = mkdtempSync(join(tmpdir(), 'inventory-'))
  made.push(copy)
  cpSync(join(root, 'inventory'), join(copy, 'inventory'), { recursive: true })
  for (const [file, replacements] of Object.entries(edits)) {
    const path = join(copy, 'inventory/sandbox', file)
    let text = readFileSync(path, 'utf8')
    for (const [from, to] of replacements) {
      const next = text.replace(from, to)
      if (next === text) throw new Error(`${file} has no ${from}`)
      text = next
    }
    writeFileSync(path, text)
  }
  return copy
}

export const mistakes = async (copy: string, name = 'sandbox'): Promise<Problem[]> => {
  try {
    await loadContext(name, { root: copy })
    return []
  } catch (error) {
    return error instanceof Problems ? [...error.all] : [error as Problem]
  }
}
