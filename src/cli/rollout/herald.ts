import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../../engine/apply.ts'
import { type Entry, readJournals } from '../../engine/journal.ts'
import type { Context } from '../../inventory/context.ts'
import { eventOn } from '../../rollout/events.ts'
import type { Kube } from '../../rollout/kube/kube.ts'
import type { WorkloadRef } from '../../rollout/workload.ts'
import { kindOf } from '../../rollout/workloads/read.ts'
import type { Output } from '../output.ts'
import { createReporter, type News, type Sighting } from './news.ts'
import { createWebhook, type WebhookOptions } from './webhook.ts'

/** Tells of a run to those who do not watch it. Nothing waits for it, and nothing fails with it. */
export type Herald = {
  heard(entry: Entry): void
  /** Gives what is not told yet a few seconds more. */
  close(): Promise<void>
}

type Run = {
  command: string
  run: string
  state: string
  context: Context
  output: Pick<Output, 'say' | 'hide' | 'mask'>
  /** A client that asks before it writes. */
  kube: (kubeconfig: string) => Kube
} & Partial<Omit<WebhookOptions, 'onSecret'>>

const LANES = 8
const CLOSE_MS = 10_000

export const createHerald = ({ command, run, state, context, output, kube, ...pace }: Run): Herald => {
  const { webhook } = context.rollout?.notify ?? {}
  const post = webhook && createWebhook(webhook.url, { ...pace, onSecret: output.hide })
  const reporter = createReporter(() => readJournals(state))
  const given = new Set<string>()
  const giveUp = (what: string, thrown: unknown) => {
    if (!given.has(what)) output.say(`note: ${what}: ${textOf(thrown)}`)
    given.add(what)
  }
  let posts = Promise.resolve()
  const tell = (news: News) => {
    const body = { ...news, text: `${context.context}: ${news.text}`, context: context.context, command, run }
    const text = output.mask(JSON.stringify({ ...body, time: new Date().toISOString() }))
    posts = posts
      .then(() => post?.(text))
      .catch(thrown => giveUp('the webhook of rollout.notify was not reached', thrown))
  }
  const lanes = Array.from({ length: LANES }, () => Promise.resolve())
  let next = 0
  const show = ({ want, uid, reason, note }: Sighting) => {
    const { kubeconfig, namespace, kind, name } = want
    const refused = 'no Events are written on workloads'
    const write = async () => {
      if (given.has(refused)) return
      const { apiVersion } = kindOf({ kind } as WorkloadRef)
      await kube(kubeconfig).create(eventOn({ apiVersion, kind, namespace, name, uid }, { reason, note, run }))
    }
    const at = next++ % LANES
    lanes[at] = lanes[at]!.then(write).catch(thrown => giveUp(refused, thrown))
  }
  return {
    heard(entry) {
      try {
        const { news, sightings } = reporter.heard(entry)
        if (post) for (const it of news) tell(it)
        for (const it of sightings) show(it)
      } catch (thrown) {
        giveUp('nothing more is told', thrown)
      }
    },
    async close() {
      const closing = new AbortController()
      const late = delay(CLOSE_MS, undefined, { signal: closing.signal }).catch(() => undefined)
      await Promise.race([Promise.all([posts, ...lanes]), late])
      closing.abort()
    },
  }
}
