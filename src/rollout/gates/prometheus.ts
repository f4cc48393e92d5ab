import { Problem } from '../../engine/problem.ts'
import type { Probes } from '../probe.ts'
import { readToken, type SecretRef } from '../secret-ref.ts'
import { type Condition, conditionOf } from './condition.ts'
import { fail, inconclusive, pass, type Verdict } from './measure.ts'
import type { Subject } from './subject.ts'

/** An instant query, asked from the operator's machine. In the query, {{tenant}}, {{namespace}} and {{workload}}. */
export type PrometheusGate = {
  prometheus: {
    server: string
    query: string
    pass?: string | undefined
    fail?: string | undefined
    token?: SecretRef | undefined
  }
}

export const askPrometheus =
  ({ prometheus: { server, query, token, ...conditions } }: PrometheusGate) =>
  async ({ tenant, namespace, workload }: Subject, { here }: Probes): Promise<Verdict> => {
    const names: Record<string, string> = { tenant, namespace, workload: workload.name }
    const asked = query.replace(/\{\{ *(tenant|namespace|workload) *\}\}/g, (_, name: string) => names[name] ?? '')
    const url = `${server.replace(/\/$/, '')}/api/v1/query?query=${encodeURIComponent(asked)}`
    const headers: Record<string, string> = token ? { authorization: `Bearer ${await readToken(token)}` } : {}
    const reply = await here.get(url, headers)
    if ('status' in reply && reply.status === 200) return judgeValues(valuesIn(server, reply.body), conditions)
    const why = 'status' in reply ? `answered ${reply.status}` : 'silent' in reply ? reply.silent : reply.unheard
    throw unmeasured(server, why)
  }

/**
 * Every series must satisfy `pass`, and any that satisfies `fail` is a failure. With both, what satisfies neither is
 * inconclusive; with one, the other is its opposite. No series, or one that is no number, says nothing.
 */
export const judgeValues = (
  values: readonly number[],
  said: { pass?: string | undefined; fail?: string | undefined },
): Verdict => {
  const [passes, fails] = [said.pass, said.fail].map(it => (it === undefined ? null : conditionOf(it))) as [
    Condition | null,
    Condition | null,
  ]
  if (values.length === 0) return inconclusive('the query has no result')
  if (values.some(Number.isNaN)) return inconclusive('the query has a result that is no number')
  const bad = values.find(it => (fails ? fails(it) : !passes?.(it)))
  if (bad !== undefined) return fail(`result is ${bad}: ${fails ? said.fail : `not ${said.pass}`}`)
  const unclear = passes ? values.find(it => !passes(it)) : undefined
  return unclear === undefined ? pass : inconclusive(`result is ${unclear}: neither ${said.pass} nor ${said.fail}`)
}

type Result = { status?: string; error?: string; data?: { resultType?: string; result?: unknown } }

/** @see the HTTP API of Prometheus, instant queries: a vector of series, or one scalar */
const valuesIn = (server: string, body: string): number[] => {
  let parsed: Result
  try {
    parsed = JSON.parse(body) as Result
  } catch {
    throw unmeasured(server, 'its answer is no JSON')
  }
  const { status, error, data } = parsed
  if (status !== 'success') throw unmeasured(server, error ?? 'its answer is no success')
  if (data?.resultType === 'scalar') return [numberOf((data.result as [number, string])[1])]
  if (data?.resultType !== 'vector') throw unmeasured(server, `its result is a ${data?.resultType}, not a vector`)
  return (data.result as { value: [number, string] }[]).map(it => numberOf(it.value[1]))
}

const numberOf = (text: string): number =>
  text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number.parseFloat(text)

const unmeasured = (server: string, why: string) =>
  new Problem(`Prometheus at ${server} was not asked`, { why, next: 'look whether it answers, then go on' })
