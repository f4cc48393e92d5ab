import type { Json } from './json.ts'
import type { Step } from './step.ts'

/** What the engine tells whoever watches: the progress view, the JSON lines, the journal's reader. */
export type EngineEvent =
  | { event: 'step-started'; step: Step }
  | { event: 'step-waiting'; step: string; what: string; elapsedMs: number }
  | { event: 'step-progress'; step: string; part: string; data?: Json }
  | { event: 'step-done'; step: string; durationMs: number }
  | { event: 'step-failed'; step: string; error: unknown; durationMs: number }
  | { event: 'step-undoing'; step: string; summary: string }
  | { event: 'step-undone'; step: string; durationMs: number }
  | { event: 'undo-failed'; step: string; error: unknown }

export type Watch = (event: EngineEvent) => void
