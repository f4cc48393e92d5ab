import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Report } from '../../src/engine/kind.ts'
import { createKubes, type Kube } from '../../src/rollout/kube/kube.ts'
import { createClusters } from '../../src/sandbox/kubernetes/clusters.ts'
import type { PodSpec, Pods } from '../../src/sandbox/ports.ts'

/** What a command in a pod answers. */
export type Command = (pod: PodSpec, command: string[]) => { code: number; stdout?: string; stderr?: string }

/** A cluster whose API is the sandbox's and whose pods live in memory. A container with env CRASH ends with it. */
export const startCluster = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cluster-'))
  const pods = memoryPods()
  const clusters = await createClusters({ pods, directory, onChange: () => undefined })
  const id = '11111111-1111-4111-8111-111111111111'
  const ranges = { podCidr: '100.64.0.0/15', serviceCidr: '10.32.0.0/20', dnsIp: '10.32.0.10' }
  await clusters.create({ id, name: 'shared', version: '1.34.1', ...ranges })
  await clusters.addNode(id, {
    name: 'node-1',
    address: '172.16.28.20',
    labels: { 'node-pool': 'a-pool' },
    taints: [{ key: 'node-role.kubernetes.io/client-a', value: 'dedicated', effect: 'NoSchedule' }],
  })
  const kubeconfig = join(directory, 'kubeconfig')
  await writeFile(kubeconfig, clusters.kubeconfig(id, 'admin@shared'), { mode: 0o600 })
  const kubes = createKubes()
  const kube: Kube = kubes(kubeconfig)
  return {
    kube,
    kubeconfig,
    clients: { kube: kubes },
    pods,
    async close() {
      await kubes.close()
      await clusters.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const report = (): Report & { parts: string[]; waits: string[] } => {
  const parts: string[] = []
  const waits: string[] = []
  return {
    parts,
    waits,
    waiting: what => waits.push(what),
    progress: part => parts.push(part),
    signal: new AbortController().signal,
  }
}

/** Pods that only are on record; init containers end well as soon as they begin. */
export const memoryPods = (): Pods & { commands: { run: Command }; running: Map<string, PodSpec> } => {
  const running = new Map<string, PodSpec>()
  const commands: { run: Command } = { run: () => ({ code: 0 }) }
  const begun = new Map<string, Set<string>>()
  const nothing = async () => undefined
  return {
    running,
    commands,
    joinNode: nothing,
    leaveNode: nothing,
    setPolicies: nothing,
    setServices: nothing,
    setNames: nothing,
    halt: nothing,
    async restart(uid, container) {
      begun.set(uid, new Set([...(begun.get(uid) ?? []), container]))
    },
    refresh: nothing,
    async start(pod) {
      running.set(pod.uid, pod)
    },
    async stop(uid) {
      running.delete(uid)
    },
    async state(uid) {
      const pod = running.get(uid)
      if (!pod) return null
      const state = (crash: string | undefined) => ({
        exitCode: crash ? Number(crash) : null,
        startedAt: '2026-01-01T00:00:00Z',
      })
      return {
        running: true,
        containers: Object.fromEntries(
          pod.containers
            .filter(it => !it.turn || begun.get(uid)?.has(it.name))
            .map(({ name, env, turn }) => {
              const crash = env.CRASH ?? env.HTTP_PROXY?.match(/crash-(\d+)/)?.[1]
              return [name, state(crash ?? (turn === 'init' ? '0' : undefined))]
            }),
        ),
      }
    },
    async *logs() {
      yield Buffer.from('connecting\nboom\n')
    },
    exec(uid, _container, command) {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
      const pod = running.get(uid)
      const result = pod ? commands.run(pod, command) : { code: 137 }
      stdout.end(result.stdout ?? '')
      stderr.end(result.stderr ?? '')
      return { stdin, stdout, stderr, kill: () => undefined, ended: Promise.resolve(result.code) }
    },
  }
}
