import { setTimeout as delay } from 'node:timers/promises'
import { tryRecord } from '../../engine/apply.ts'
import { type Held, NotLeader } from '../../rollout/kube/lease.ts'
import { asAnswer, forgotten, type Request, requestsOf } from '../../rollout/requests.ts'
import type { Session } from '../session.ts'

/** Hears what others ask of a run, on its Lease, and answers it. */
export type Ear = {
  /** Looks once more; what is asked by now is answered when it returns. */
  poll(): Promise<void>
  close(): Promise<void>
}

type Hearing = {
  /** In words for who asks. */
  answer(request: Request): string
  onLost?(lost: NotLeader): void
}

const POLL_MS = 1000
const CLOSE_MS = 5000

/** Looks every second until it is closed. */
export const openEar = async (
  held: Held,
  { output, journal, context }: Pick<Session, 'output' | 'journal' | 'context'>,
  { answer, onLost = () => undefined }: Hearing,
): Promise<Ear> => {
  const names = context.tenants.map(it => it.tenant)
  const answers = new Map<string, string>()
  const reply = (request: Request): string => {
    const { id, what, by, tenants } = request
    const known = answers.get(id)
    if (known !== undefined) return known
    const said = answer(request)
    answers.set(id, said)
    const asked = { what, by, tenants: tenants ?? names, answer: said }
    output.say(`${by} asks: ${what}${tenants ? ` ${tenants.join(', ')}` : ''}: ${said}`)
    output.event('asked', asked)
    // Also where a journal cannot be written an abort is heard.
    tryRecord({ journal }, { event: 'note', topic: 'asked', data: asked })
    return said
  }
  const pollOnce = async () => {
    try {
      for (const it of requestsOf(await held.look())) await held.note(asAnswer(it.id, reply(it)))
    } catch (thrown) {
      // An API that does not answer is no reason to stop; one that says another leads is.
      if (thrown instanceof NotLeader) onLost(thrown)
    }
  }
  // One after the other, so that nothing is answered twice.
  let turn = Promise.resolve()
  const poll = () => {
    turn = turn.then(pollOnce)
    return turn
  }
  const closing = new AbortController()
  const polling = (async () => {
    while (!closing.signal.aborted) {
      await poll()
      await delay(POLL_MS, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  })()
  return {
    poll,
    async close() {
      closing.abort()
      const clear = async () => {
        await polling
        await held.note(forgotten(await held.look()))
      }
      // An API that does not answer keeps nobody here.
      await Promise.race([clear().catch(() => undefined), delay(CLOSE_MS, undefined, { ref: false })])
    },
  }
}

/** Works where nothing can be paused, promoted or aborted, and says so to who asks. */
export const heard = async <T>(
  session: Session,
  held: Held | undefined,
  answer: Hearing['answer'],
  work: () => Promise<T>,
): Promise<T> => {
  if (!held) return work()
  const ear = await openEar(held, session, { answer })
  try {
    return await work()
  } finally {
    await ear.close()
  }
}
