import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import { readSecret, type SecretRef } from '../../rollout/secret-ref.ts'

export type WebhookOptions = { timeoutMs?: number; pausesMs?: readonly number[]; onSecret: (secret: string) => void }

/**
 * Posts JSON to an address that is a secret. What is not taken is posted again a few times; then it throws an Error
 * without the address in it. Redirects are not followed: nobody else is to get it.
 */
export const createWebhook = (
  url: SecretRef,
  { timeoutMs = 5000, pausesMs = [500, 2000], onSecret }: WebhookOptions,
): ((body: string) => Promise<void>) => {
  let address: Promise<string> | undefined
  return async body => {
    address ??= readSecret(url).then(it => {
      onSecret(it)
      return it
    })
    for (let tries = 0; ; tries++) {
      const said = await post(await address, body, timeoutMs)
      if (said === null) return
      const pause = said.again ? pausesMs[tries] : undefined
      if (pause === undefined) throw new Error(said.why)
      await delay(pause)
    }
  }
}

/** Null: it was taken. */
const post = async (url: string, body: string, timeoutMs: number): Promise<{ why: string; again: boolean } | null> => {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const headers = { 'content-type': 'application/json', 'user-agent': 'kapsule-egress' }
    const reply = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
    await reply.body?.cancel()
    if (reply.ok) return null
    return { why: `it answered ${reply.status}`, again: reply.status === 429 || reply.status >= 500 }
  } catch (thrown) {
    // Messages of undici name the address.
    const { name, cause } = thrown as Error & { cause?: { code?: string } }
    const why = name === 'TimeoutError' ? `no answer in ${timeoutMs / 1000} s` : (cause?.code ?? 'it is no address')
    return { why, again: cause?.code !== undefined || name === 'TimeoutError' }
  }
}
