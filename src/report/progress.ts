import type { Watch } from '../engine/events.ts'

/** What one stage says at its end: one line, and whether it went well. */
export type StageEnd = { ok: boolean; summary: string }

/** Shows a run to whoever watches. Stages are told in the order of the titles. */
export type Progress = {
  /** Runs a stage under its title. What `run` throws goes through to the caller. */
  stage<T extends StageEnd>(title: string, run: (say: (line: string) => void) => Promise<T>): Promise<T>
  watch: Watch
  /** Stages that were not begun are shown as such; the screen is free again afterwards. */
  close(): Promise<void>
}

export const seconds = (ms: number): string =>
  ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
