import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startInternet } from '../../../src/sandbox/internet/internet.ts'
import { createMachines } from '../../../src/sandbox/machines/machines.ts'
import { claimSlot } from '../../../src/sandbox/machines/slots.ts'
import type { World } from '../../../src/sandbox/machines/world.ts'
import { prepare } from '../../../src/sandbox/prepare.ts'

export type Lab = Awaited<ReturnType<typeof start>>

/** Machines of the test's own, without the emulated APIs, in whatever slot is free. */
export const newLab = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'egress-machines-'))
  return start(await claimSlot(directory, it => `down --root ${it}`))
}

export const start = async (world: World) => {
  const authority = await prepare(world)
  const parts = await createMachines(world, authority.ca)
  const internet = await startInternet(world, authority, parts.background, [])
  return { world, parts, internet, authority, directory: world.directory }
}

export type Result = { code: number; stdout: string; stderr: string }

export const command = (program: string, args: string[], milliseconds = 60_000): Promise<Result> =>
  new Promise(resolve => {
    execFile(program, args, { timeout: milliseconds }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 255) : 0
      resolve({ code, stdout, stderr })
    })
  })

export const inNetns = (netns: string, ...words: string[]) => command('ip', ['netns', 'exec', netns, ...words])
