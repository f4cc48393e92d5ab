import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { startTime } from '../../src/sandbox/machines/slots.ts'

export const prefix = 'egress-e2e-'
/** In a test's copy of the project: its pid and start time, which name one process for ever. */
export const ownerFile = '.owner'

/**
 * Takes down what test runs left that were killed: a machine has room for eight sandboxes, and theirs would stand for
 * ever. Copies whose owner still runs are left alone. Gives the
 * directories that it removed.
 */
export const removeLeftovers = async (directory = tmpdir()): Promise<string[]> => {
  const left = readdirSync(directory)
    .filter(it => it.startsWith(prefix))
    .map(it => join(directory, it))
    .filter(isOrphan)
  for (const it of left) {
    const script = join(it, 'src/sandbox/main.ts')
    const state = join(it, '.egress/.sandbox')
    if (existsSync(state))
      await execa(process.execPath, [script, 'down', '--root', state], { timeout: 60_000, cwd: '/' })
    rmSync(it, { recursive: true, force: true })
  }
  return left
}

const isOrphan = (copy: string): boolean => {
  try {
    const [pid, started] = readFileSync(join(copy, ownerFile), 'utf8').split(' ')
    return startTime(Number(pid)) !== started
  } catch {
    return false // being made, or somebody else's
  }
}
