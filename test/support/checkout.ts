import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { startTime } from '../../src/sandbox/machines/slots.ts'
import { ownerFile, prefix } from './leftovers.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export type Ran = { code: number; stdout: string; stderr: string; events: Record<string, unknown>[] }

/** A copy of the project with a sandbox of its own, so that a test never meets the one somebody works with. */
export const makeCheckout = () => {
  const directory = mkdtempSync(join(tmpdir(), prefix))
  writeFileSync(join(directory, ownerFile), `${process.pid} ${startTime(process.pid)}`)
  for (const it of ['src', 'scripts', 'playbooks', 'templates', 'inventory', 'package.json']) {
    cpSync(join(root, it), join(directory, it), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const start = (script: string, args: string[]) =>
    execa(process.execPath, [join(directory, 'scripts', script), ...args], {
      cwd: '/',
      reject: false,
      stdin: 'ignore',
      timeout: 200_000,
      env: { NO_COLOR: '1' },
    })
  const run = async (script: string, ...args: string[]): Promise<Ran> => {
    const { exitCode, stdout, stderr } = await start(script, args)
    return { code: exitCode ?? -1, stdout, stderr, events: eventsIn(stdout) }
  }
  return {
    directory,
    state: join(directory, '.egress', 'sandbox'),
    start,
    run,
    /** Takes down what stands and removes the copy. */
    async remove() {
      const { code, stderr } = await run('sandbox.mjs', 'down')
      rmSync(directory, { recursive: true, force: true })
      if (code !== 0) throw new Error(stderr)
    },
  }
}

const eventsIn = (stdout: string) =>
  stdout.split('\n').flatMap(line => (line.startsWith('{"time"') ? [JSON.parse(line) as Record<string, unknown>] : []))
