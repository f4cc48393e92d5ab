import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RolloutPhase } from '../../playbooks/rollout.ts'
import { createClients } from '../../src/cli/clients.ts'
import { askRun } from '../../src/cli/commands/hand.ts'
import { watchRollout } from '../../src/cli/commands/watch.ts'
import { parse } from '../../src/cli/flags.ts'
import { withOnly } from '../../src/cli/limit.ts'
import type { Output } from '../../src/cli/output.ts'
import { createLeadership } from '../../src/cli/rollout/leader.ts'
import { rollOut } from '../../src/cli/rollout/run.ts'
import type { View } from '../../src/cli/rollout/view.ts'
import type { Session } from '../../src/cli/session.ts'
import type { Staged } from '../../src/cli/staged.ts'
import { type Entry, type Journal, noJournal, openJournal, readJournals } from '../../src/engine/journal.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { Problem } from '../../src/engine/problem.ts'
import { countChanges } from '../../src/engine/step.ts'
import type { World } from '../../src/engine/world.ts'
import type { Context } from '../../src/inventory/context.ts'
import { plainProgress } from '../../src/report/plain.ts'
import type { Progress } from '../../src/report/progress.ts'
import { gatesAt } from '../../src/rollout/gates/all.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { EGRESS_LABEL } from '../../src/rollout/manifests.ts'
import { noProxy, proxyEnv } from '../../src/rollout/no-proxy.ts'
import { phases } from '../../src/rollout/phases.ts'
import type { Wish } from '../../src/rollout/requests.ts'
import type { WorkloadRef } from '../../src/rollout/workload.ts'
import { egressName, workloadEgress } from '../../src/rollout/workload-egress.ts'
import { startCluster } from '../rollout/cluster.ts'

const NS = 'a-demo'
const namespaceOf = (tenant: string) => `${tenant}-demo`
const names = ['w0', 'w1', 'w2']
const ids: Staged['site']['ids'] = { gatewayIp: '', cluster: '', kubeconfig: '', proxies: [], gateways: [] }
const dry = { dryRun: true, interval: '0s', count: 1, consecutiveErrorLimit: 0, inconclusiveLimit: 0 }
const env = proxyEnv(
  { address: '192.0.2.1', port: 3128 },
  noProxy({ services: '10.32.0.0/20', pods: '100.64.0.0/15', private: [] }),
)
const ref = (name: string): WorkloadRef => ({ kind: 'Deployment', name })

/** What a tenant's file says of a rollout: canary `w0`, then `w1`, which may be stubborn, then `w2`. Built-in gates guard nothing here. */
export type Words = { then?: object; gates?: object[]; inconclusive?: object; order?: string[] }

/** Rollouts of three Deployments of each tenant by the real code, in an emulated cluster whose pods live in memory. */
export const createRolling = async (tenants: readonly string[] = ['a']) => {
  const cluster = await startCluster()
  const state = mkdtempSync(join(tmpdir(), 'rolling-'))
  const namespaces = tenants.map(namespaceOf)
  for (const name of namespaces) await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const mood = { stubborn: false, fullDisk: false }
  // With a proxy it does not become ready, when it is in the mood.
  cluster.pods.commands.run = ({ containers: [first] }, [program]) => ({
    code: program === 'stubborn' && mood.stubborn && first?.env.HTTP_PROXY ? 1 : 0,
  })
  const readinessProbe = { exec: { command: ['stubborn'] }, periodSeconds: 1 }
  for (const [namespace, name] of namespaces.flatMap(it => names.map(name => [it, name] as const))) {
    const container = { name: 'c', image: 'i', command: ['sleep', '1'], ...(name === 'w1' && { readinessProbe }) }
    const spec = { tolerations: [{ operator: 'Exists' }], containers: [container] }
    const labels = { app: name }
    const object = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace } },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    }
    await cluster.kube.create(object as unknown as KubeObject, { manager: 'owner' })
  }
  let runs = 0

  const contextWith = ({ then = {}, gates = [], inconclusive, order = names }: Words) => {
    const all = [...gatesAt('gateway'), ...gatesAt('ahead'), ...gatesAt('moved')]
    const proxy = { name: 'proxy-a', privateIp: '192.0.2.1', port: 3128, existing: { publicIp: '192.0.2.2' } }
    const tenantOf = (tenant: string) => ({
      ...{ tenant, namespace: namespaceOf(tenant), pool: { name: 'a-pool' }, workloads: order.map(ref) },
      rollout: {
        canary: ref('w0'),
        // biome-ignore lint/suspicious/noThenProperty: the word of the inventory; nothing awaits a tenant
        then: { batches: ['1', '100%'], soak: '0s', pause: 'none', ...then },
        builtIn: Object.fromEntries(all.map(it => [it.name, dry])),
        gates,
        ...(inconclusive && { inconclusive }),
      },
      egress: { proxy, proxies: [proxy], through: 'address' },
    })
    const { kubeconfig } = cluster
    return {
      ...{ context: 'rolling', ssh: {}, tenants: tenants.map(tenantOf) },
      cluster: { kubeconfig, podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20' },
      network: { privateNetwork: { cidr: '172.16.28.0/22' } },
      verify: { echo: [], forbidden: 'http://no.example/', probeImage: 'curl' },
    } as unknown as Context
  }

  const phasesOf = ({ tenants }: Context): RolloutPhase[] =>
    phases(
      tenants.map(({ tenant, rollout, workloads }) => ({
        ...{ tenant, canary: ref('w0'), workloads },
        batches: rollout.then.batches.map(String),
      })),
    ).map(({ name, workloads }) => ({
      name,
      moves: workloads.map(it => ({
        tenant: tenants.find(({ tenant }) => tenant === it.tenant)!,
        workload: ref(it.name),
      })),
      desired: workloads.map(it =>
        workloadEgress(egressName(namespaceOf(it.tenant), ref(it.name)), {
          ...{ kubeconfig: cluster.kubeconfig, namespace: namespaceOf(it.tenant), ...ref(it.name) },
          label: EGRESS_LABEL,
          ...{ env, containers: 'all', waitSeconds: 120 },
        }),
      ),
    }))

  /** Another command in the same directory, as far as a session goes. */
  const sessionWith = (words: Words, argv: string[], part: Partial<Session> & Pick<Session, 'clients' | 'output'>) => {
    const { flags } = parse('50-rollout', ['--context', 'rolling', ...argv], {})
    const signal = new AbortController().signal
    const world = { watch() {}, stop: signal, abort: signal } as unknown as World
    const session = { command: '50-rollout', context: contextWith(words), flags, root: '/', state, run: '', world }
    return { ...session, journal: noJournal(''), ...part } as unknown as Session
  }

  return {
    cluster,
    mood,
    history: () => readJournals(state),
    /** What another run has left. */
    record(run: string, entries: Entry[]) {
      const journal = openJournal(state, run)
      for (const it of entries) journal.record(it)
      journal.close()
    },
    /** Which of them carry the label now. */
    async moved(namespace = NS) {
      const all = await cluster.kube.list<KubeObject>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace })
      const labelled = all.items.filter(it => JSON.stringify(it.spec).includes(`"${EGRESS_LABEL.key}"`))
      return labelled.map(it => it.metadata.name).sort()
    },
    /** Rolls out as 50-rollout does, from a plan made now. `ended`: the error it ends with. */
    async start(words: Words = {}, act: (staged: Staged, progress: Progress) => Promise<unknown> = rollOut) {
      const run = `20260101T000000${String(runs++).padStart(3, '0')}-0000`
      const { lines, output } = listen()
      const stop = new AbortController()
      const kept = openJournal(state, run)
      const journal: Journal = {
        ...kept,
        record(entry, options) {
          if (mood.fullDisk) throw new Problem('the journal could not be written', { why: 'no space left', next: '-' })
          kept.record(entry, options)
        },
      }
      const context = contextWith(words)
      const abort = new AbortController().signal
      const leadership = createLeadership({ command: '50-rollout', run, state, context, journal, abort }, output)
      const clients = createClients(context, abort, output, { root: '/', env: {}, leadership })
      const progress = plainProgress(output.say)
      const { watch } = progress
      const world: World = { clientsFor: clients.clientsFor, journal, watch, stop: stop.signal, abort }
      const session = { ...sessionWith(words, [], { clients, output }), context, journal, run, world }
      const all = phasesOf(context)
      const staged: Staged = {
        session,
        site: { phases: all, ids } as unknown as Staged['site'],
        plan: await makePlan(
          all.flatMap(it => it.desired),
          world,
        ),
        ...{ projectId: '', stages: ['rollout'], counts: countChanges([]), orphans: [] },
      }
      const ended = act(staged, progress)
        .then(
          () => undefined,
          (it: Problem) => it,
        )
        .finally(async () => {
          await leadership.release()
          await clients.close()
          journal.close()
          it.over = true
        })
      const it = { run, lines, ended, over: false, interrupt: () => stop.abort() }
      return it
    },
    /** Asks as another command does; what it was told, or `nobody`. */
    async ask(what: Wish, words: Words = {}, limit?: string): Promise<string> {
      const { lines, output } = listen()
      const all = contextWith(words)
      const context =
        limit === undefined
          ? all
          : withOnly(
              all,
              all.tenants.filter(it => it.tenant === limit),
            )
      const argv = [`--${what}`, ...(limit === undefined ? [] : ['--limit', limit])]
      const session = sessionWith(words, argv, { output, context, clients: undefined as never })
      const clients = createClients(session.context, session.world.abort, output, { root: '/', env: {} })
      try {
        const answer = await askRun({ ...session, clients }, what)
        return answer === 'nobody' ? answer : lines.at(-1)!
      } finally {
        await clients.close()
      }
    },
    /** Watches it as status.mjs does, until its run ends; what was shown. */
    async watch(words: Words = {}): Promise<View[]> {
      const { output } = listen()
      const seen: View[] = []
      const event = (_name: string, it: object) => void ('workloads' in it && seen.push(it as View))
      const context = contextWith(words)
      const session = sessionWith(words, [], { output: Object.assign(output, { event }), clients: undefined as never })
      const clients = createClients(context, session.world.abort, output, { root: '/', env: {} })
      try {
        await watchRollout({ ...session, clients }, phasesOf)
        return seen
      } finally {
        await clients.close()
      }
    },
    async close() {
      await cluster.close()
      rmSync(state, { recursive: true })
    },
  }
}

const listen = () => {
  const lines: string[] = []
  const quiet = () => undefined
  const output = {
    json: false,
    event: quiet,
    data: quiet,
    know: quiet,
    hide: quiet,
    summarise: quiet,
  } as never as Output
  return { lines, output: Object.assign(output, { say: (line: string) => void lines.push(line) }) }
}
