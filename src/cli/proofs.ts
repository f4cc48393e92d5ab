import type { Moved } from '../../playbooks/rollout.ts'
import { readJournals } from '../engine/journal.ts'
import { table } from '../report/table.ts'
import { gatesAt } from '../rollout/gates/all.ts'
import { fail } from '../rollout/gates/measure.ts'
import { egressAddress } from '../rollout/probe.ts'
import { betweenJobs } from './rollout/between-jobs.ts'
import {
  askGates,
  type GateResult,
  isHeld,
  kubeOf,
  lineOf,
  publicIpsOf,
  staysAsItIs,
  subjectOf,
  sweep,
} from './rollout/gates.ts'
import { heldSince } from './rollout/proved-before.ts'
import type { Staged } from './staged.ts'
import { refusedNodes, unknownNodes } from './unknown-nodes.ts'

/** What is proved of one tenant: the evidence at the end of a deploy. */
export type Proof = {
  tenant: string
  moved: number
  workloads: number
  addressBefore: string | null
  addressNow: string | null
  gatesPassed: number
  gatesAsked: number
  failures: GateResult[]
}

export const movesOf = ({ site, session }: Staged): Moved[] =>
  site.phases.flatMap(it => it.moves).filter(it => session.context.tenants.includes(it.tenant))

/** Looks from inside the pods of every workload that should have moved. Changes nothing. */
export const prove = async (staged: Staged, say: (line: string) => void): Promise<Proof[]> => {
  const { session } = staged
  const before = addressesBefore(staged)
  await sweep(staged, movesOf(staged))
  const refused = unknownNodes(staged).filter(it => it.unknown.length > 0)
  return Promise.all(
    session.context.tenants.map(async tenant => {
      const gates = gatesAt('moved', tenant)
      const all = movesOf(staged).filter(it => it.tenant === tenant && !staysAsItIs(it))
      const proved: Parameters<typeof betweenJobs>[2] = (history, move) =>
        heldSince(history, move, { gates: gates.map(it => it.name), held: isHeld })
      const idle = await betweenJobs(staged, all, proved, say)
      const moves = all.filter(it => !idle.has(it))
      const answers = await Promise.all(
        moves.map(move =>
          askGates(staged, move, gates, {
            onResult: result => {
              session.output.event('gate', result)
              say(lineOf(result))
            },
          }),
        ),
      )
      // A Job may have ended while it was asked.
      const unheard = moves.filter((_, n) => answers[n]!.some(it => it.verdict.verdict === 'inconclusive'))
      const ended = await betweenJobs(staged, unheard, proved, say)
      const results = answers.filter((_, n) => !ended.has(moves[n]!))
      const canary = { tenant, workload: tenant.rollout.canary }
      const gate = 'its proxy knows its nodes'
      // No pod may be there yet, so that no gate of a workload would find it.
      const lacking = refused
        .filter(it => it.tenant === tenant.tenant)
        .map(it => ({ tenant: it.tenant, workload: canary.workload.name, gate, verdict: fail(refusedNodes(it)) }))
      const asked: GateResult[] = [...results.flat(), ...lacking]
      return {
        tenant: tenant.tenant,
        moved: results.filter(it => it.every(isHeld)).length + idle.size + ended.size,
        workloads: all.length,
        addressBefore: before.get(tenant.tenant) ?? null,
        addressNow: await egressAddress(kubeOf(staged), subjectOf(staged, canary)).catch(() => null),
        gatesPassed: asked.filter(it => it.verdict.verdict === 'pass').length,
        gatesAsked: results.length * gates.length + lacking.length,
        failures: asked.filter(it => !isHeld(it)),
      }
    }),
  )
}

/** As the journal remembers it. */
const addressesBefore = ({ session }: Staged): Map<string, string> => {
  const notes = readJournals(session.state).flatMap(it =>
    it.event === 'note' && it.topic === 'address-before' ? [it.data] : [],
  )
  const known = notes.flatMap(it => {
    const { tenant, address } = it as { tenant: string; address: string | null }
    return address ? [[tenant, address] as const] : []
  })
  return new Map(known)
}

export const proofTable = (staged: Staged, proofs: readonly Proof[]): string =>
  table(
    ['tenant', 'moved', 'seen before', 'seen now', 'fixed address', 'gates'],
    proofs.map(it => [
      it.tenant,
      `${it.moved} of ${it.workloads}`,
      it.addressBefore ?? '-',
      it.addressNow ?? '-',
      publicIpsOf(staged, staged.session.context.tenants.find(({ tenant }) => tenant === it.tenant)!).join(' '),
      `${it.gatesPassed} of ${it.gatesAsked}`,
    ]),
  )
