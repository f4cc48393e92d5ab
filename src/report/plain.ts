import type { EngineEvent } from '../engine/events.ts'
import type { Progress } from './progress.ts'
import { seconds } from './progress.ts'

/** How often a wait is told again, in milliseconds. */
const againMs = 10_000

/** Plain lines, each complete in itself: for pipes, logs and CI. */
export const plainProgress = (write: (line: string) => void, { verbose = false } = {}): Progress => {
  const told = new Map<string, { what: string; at: number }>()
  return {
    async stage(title, run) {
      const began = Date.now()
      write(`${title}: started`)
      const end = await run(line => write(`${title}: ${line}`))
      write(`${title}: ${end.summary} (${seconds(Date.now() - began)})`)
      return end
    },
    watch(event) {
      const line = lineOf(event)
      if (line === null) return
      if (event.event === 'step-progress' && !verbose) return
      if (event.event === 'step-waiting') {
        const last = told.get(event.step)
        if (last && last.what === event.what && Date.now() - last.at < againMs) return
        if (!last && event.elapsedMs < 500) return
        told.set(event.step, { what: event.what, at: Date.now() })
      }
      write(line)
    },
    async close() {},
  }
}

const lineOf = (event: EngineEvent): string | null => {
  switch (event.event) {
    case 'step-started':
      return `  ${sign[event.step.change.action]} ${event.step.id}  ${event.step.change.summary}`
    case 'step-waiting':
      return `  … ${event.step}: waiting, ${event.what} (${seconds(event.elapsedMs)})`
    case 'step-progress':
      return `    ${event.step}: ${event.part}`
    case 'step-done':
      return `  ✔ ${event.step} (${seconds(event.durationMs)})`
    case 'step-undoing':
      return `  ↩ ${event.step}`
    case 'step-undone':
      return `  ✔ ${event.step} undone (${seconds(event.durationMs)})`
    case 'step-failed':
      return `  ✖ ${event.step} failed (${seconds(event.durationMs)})`
    case 'undo-failed':
      return `  ✖ ${event.step} was not undone`
  }
}

export const sign = { create: '+', update: '~', replace: '±', delete: '-' } as const
