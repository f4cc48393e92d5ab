import { spawn } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials } from '../scaleway/emulated.ts'
import { makeCheckout } from '../support/checkout.ts'
import type { Wished } from './tenants.ts'

/** The real commands, each a process in a copy of the project with that context, against the API at `url`. */
export const openCommands = (url: string, { root }: Pick<Wished, 'root'>) => {
  const { directory, remove } = makeCheckout()
  for (const it of ['inventory/bench', 'id_ed25519.pub'])
    cpSync(join(root, it), join(directory, it), { recursive: true })
  const env = {
    ...process.env,
    SCW_ACCESS_KEY: credentials.accessKey,
    SCW_SECRET_KEY: credentials.secretKey,
    SCW_DEFAULT_PROJECT_ID: credentials.projectId,
    SCW_API_URL: url,
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
  }
  return {
    remove,
    /** Runs one, and gives its exit code and the most MB that it had in memory. */
    async weigh(script: string, ...args: string[]): Promise<{ code: number | null; megabytes: number }> {
      const path = join(directory, 'scripts', script)
      const child = spawn(process.execPath, [path, '--context', 'bench', ...args], { env, cwd: '/', stdio: 'ignore' })
      let most = 0
      while (child.exitCode === null && child.signalCode === null) {
        most = Math.max(most, peakKiB(child.pid!))
        await sleep(20)
      }
      return { code: child.exitCode, megabytes: Math.round(most / 1024) }
    },
  }
}

/** The high-water mark that Linux keeps; 0 when the process is gone. */
const peakKiB = (pid: number): number => {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
