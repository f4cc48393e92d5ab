import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A program of this folder, run in a network namespace: lines of JSON in and out. */
export const startInside = async (netns: string, program: string, ...args: string[]) => {
  const child: ChildProcess = spawn(
    'nsenter',
    [`--net=/run/netns/${netns}`, process.execPath, join(import.meta.dirname, program), ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let said = ''
  child.stderr!.on('data', (it: Buffer) => {
    said += it
  })
  const waiting: ((value: unknown) => void)[] = []
  let each = (value: unknown) => waiting.shift()?.(value)
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push(resolve)
      child.once('exit', () => reject(new Error(`${program} ended: ${said}`)))
    })
  createInterface({ input: child.stdout! }).on('line', line => each(JSON.parse(line)))
  child.setMaxListeners(0)
  await next()
  return {
    write: (line: string) => void child.stdin!.write(`${line}\n`),
    /** One line, and the one that answers it. */
    async ask<T>(line: string): Promise<T> {
      const answer = next()
      child.stdin!.write(`${line}\n`)
      return (await answer) as T
    },
    /** Everything that comes goes here instead. */
    onEach(take: (value: unknown) => void) {
      each = take
    },
    async stop() {
      if (child.exitCode !== null) return
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.stdin!.end()
      await ended
    },
  }
}

export type Inside = Awaited<ReturnType<typeof startInside>>
