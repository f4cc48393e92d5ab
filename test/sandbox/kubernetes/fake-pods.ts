import { PassThrough } from 'node:stream'
import type { ExecProcess, PodFirewall, PodSpec, Pods, ServiceRule } from '../../../src/sandbox/ports.ts'

type Running = { spec: PodSpec; containers: Record<string, { exitCode: number | null; startedAt: string }> }

/** Machines that only remember what they were told; a test says what the processes do. */
export const fakePods = () => {
  const running = new Map<string, Running>()
  const calls: string[] = []
  const told = {
    policies: [] as PodFirewall[],
    services: [] as ServiceRule[],
    names: {} as Record<string, string>,
    nodes: new Map<string, Parameters<Pods['joinNode']>[0]>(),
  }
  const isolatedAtStart = new Map<string, boolean>()
  let logged = new PassThrough()
  let followers = 0
  let runs: (command: string[], process: ExecFake) => void = (_, it) => it.end(0)

  const begin = () => ({ exitCode: null, startedAt: new Date().toISOString() })
  const pods: Pods = {
    async joinNode(node) {
      told.nodes.set(node.name, node)
    },
    async leaveNode(name) {
      calls.push(`leave ${name}`)
      told.nodes.delete(name)
    },
    async start(spec) {
      calls.push(`start ${spec.name}`)
      isolatedAtStart.set(
        spec.name,
        told.policies.some(it => it.podIp === spec.ip),
      )
      running.set(spec.uid, {
        spec,
        containers: Object.fromEntries(spec.containers.filter(it => !it.turn).map(it => [it.name, begin()])),
      })
    },
    async stop(uid) {
      const it = running.get(uid)
      if (it) calls.push(`stop ${it.spec.name}`)
      running.delete(uid)
    },
    async state(uid) {
      const it = running.get(uid)
      return it ? { running: true, containers: structuredClone(it.containers) } : null
    },
    async refresh(uid, volumes) {
      const it = running.get(uid)
      if (!it) return
      calls.push(`refresh ${it.spec.name}`)
      it.spec = { ...it.spec, volumes }
    },
    async halt(uid, container) {
      const it = running.get(uid)
      calls.push(`halt ${container}`)
      if (it) it.containers[container]!.exitCode = 143
    },
    async restart(uid, container) {
      calls.push(`begin ${container}`)
      running.get(uid)!.containers[container] = begin()
    },
    async *logs(_uid, _container, { follow, previous }) {
      if (previous) return yield Buffer.from('it died\n')
      if (!follow) return yield Buffer.from('hello\n')
      followers++
      yield* logged
    },
    exec(_uid, _container, command) {
      const it = new ExecFake()
      setImmediate(() => runs(command, it))
      return it
    },
    async setPolicies(_cluster, policies) {
      // Real ones take a moment; a pod must not begin in it.
      await new Promise(resolve => setTimeout(resolve, 30))
      told.policies = policies
    },
    async setServices(_cluster, services) {
      told.services = services
    },
    async setNames(_cluster, names) {
      told.names = names
    },
  }
  return {
    pods,
    calls,
    told,
    isolatedAtStart,
    specs: () => [...running.values()].map(it => it.spec),
    spec: (name: string) => [...running.values()].find(it => it.spec.name.startsWith(name))?.spec,
    /** The container's process ends. */
    end(name: string, exitCode: number, container?: string) {
      for (const it of running.values()) {
        if (!it.spec.name.startsWith(name)) continue
        for (const [own, one] of Object.entries(it.containers)) if ((container ?? own) === own) one.exitCode = exitCode
      }
    },
    /** The machine loses the pod. */
    lose(name: string) {
      for (const [uid, it] of running) if (it.spec.name.startsWith(name)) running.delete(uid)
    },
    onExec(act: typeof runs) {
      runs = act
    },
    followers: () => followers,
    log(text: string) {
      logged.write(text)
    },
    endLog() {
      logged.end()
      logged = new PassThrough()
    },
  }
}

class ExecFake implements ExecProcess {
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  readonly ended: Promise<number>
  readonly sizes: [number, number][] = []
  #end!: (code: number) => void

  constructor() {
    this.ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

  end(code: number) {
    this.stdout.end()
    this.stderr.end()
    this.#end(code)
  }

  kill() {
    this.end(137)
  }

  resize(columns: number, rows: number) {
    this.sizes.push([columns, rows])
  }
}
