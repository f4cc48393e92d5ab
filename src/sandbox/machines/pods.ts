import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { PodSpec, Pods } from '../ports.ts'
import { boxExit, boxPid, disk, startBox, stopBox } from './box.ts'
import type { ClusterNetworks } from './cluster-networks.ts'
import { confined } from './confined.ts'
import { execInside } from './exec.ts'
import { put, readText } from './files.ts'
import { capLog, readLog } from './logs.ts'
import { dropNetns, ip, makeNetns, netnsExists } from './netns.ts'
import { type Nodes, podGateway } from './nodes.ts'
import { createRecords, type Names } from './records.ts'
import { plainEnvironment, turns } from './run.ts'
import { fillVolume, makeVolume } from './volumes.ts'
import type { World } from './world.ts'

type Pod = { spec: PodSpec; netns: string }
type Container = PodSpec['containers'][number]
type PodCalls = Pick<Pods, 'start' | 'stop' | 'state' | 'restart' | 'halt' | 'refresh' | 'logs' | 'exec'>

const logBytes = 8 * 1024 * 1024

/** Pods: a namespace behind their node, and in it a box for each container, so that images and processes stay apart. */
export const createPods = (world: World, nodes: Nodes, clusters: ClusterNetworks, names: Names) => {
  const records = createRecords<Pod>(world, 'pods')
  const turn = turns()
  const starting = new Set<string>()
  for (const [uid, { netns }] of records.all) names.remember(netns, uid)
  const directory = (uid: string, container: string) => join(records.directory(uid), container)
  const box = (uid: string, { netns }: Pod, container: string) => ({ directory: directory(uid, container), netns })
  // No container can be named like this.
  const volume = (uid: string, name: string) => join(records.directory(uid), '.volumes', name)

  const connect = async (spec: PodSpec, netns: string) => {
    const node = nodes.byName(spec.node)
    const link = nodes.podLink(spec.uid)
    const peer = `name eth0 netns ${netns}`
    await ip([`link del ${link}`], { ns: node.netns, force: true })
    await ip(
      [
        `link add ${link} type veth peer ${peer}`,
        `link set ${link} up`,
        `route replace ${spec.ip}/32 dev ${link} src ${node.spec.address.split('/')[0]}`,
      ],
      { ns: node.netns },
    )
    const routes = [
      `addr replace ${spec.ip}/32 dev eth0`,
      'link set eth0 up',
      `route replace default via ${podGateway} dev eth0 onlink`,
    ]
    await ip(routes, { ns: netns })
  }

  const run = async (uid: string, pod: Pod, container: Container) => {
    const key = `${uid} ${container.name}`
    starting.add(key)
    try {
      const place = box(uid, pod, container.name)
      for (const it of ['up', 'work']) rmSync(join(place.directory, it), { recursive: true, force: true })
      if (existsSync(join(place.directory, 'log')))
        renameSync(join(place.directory, 'log'), join(place.directory, 'log.previous'))
      furnish(disk(place.directory), pod.spec, container)
      const env = Object.entries(environment(pod.spec, container)).map(([name, value]) => `${name}=${value}`)
      const command = [
        'env',
        '-i',
        '-C',
        container.workingDir ?? '/',
        ...env,
        ...confined(container),
        ...container.command,
      ]
      const binds = (container.mounts ?? []).map(it => ({ from: volume(uid, it.volume), to: it.path }))
      const readOnly = container.readOnly ?? false
      await startBox(world, { ...place, hostname: pod.spec.name.slice(0, 63), command, binds, readOnly })
    } finally {
      starting.delete(key)
    }
  }

  const halt = async (uid: string, pod: Pod, name: string, graceSeconds: number) => {
    const place = box(uid, pod, name)
    const pid = boxPid(place)
    // the kernel gives pid 1 no TERM it has no handler for: it would only sit out its grace
    await stopBox(place, pid !== null && handles(pid, 15) ? graceSeconds : 0)
  }

  const end = async (uid: string, graceSeconds: number) => {
    const pod = records.all.get(uid)
    if (!pod) return
    const began = Date.now()
    for (const isLast of [false, true]) {
      const left = Math.max(0, graceSeconds - (Date.now() - began) / 1000)
      const now = pod.spec.containers.filter(it => (it.turn === 'sidecar') === isLast)
      await Promise.all(now.map(({ name }) => halt(uid, pod, name, left)))
    }
    const node = nodes.list().find(it => it.name === pod.spec.node)
    if (node) await ip([`link del ${nodes.podLink(uid)}`], { ns: node.netns, force: true })
    await dropNetns([pod.netns])
    names.release(pod.netns)
    records.drop(uid)
  }

  const state = (uid: string, pod: Pod, name: string) => {
    const place = box(uid, pod, name)
    const noted = boxExit(place.directory)
    const alive = starting.has(`${uid} ${name}`) || boxPid(place) !== null
    const started = statSync(join(place.directory, 'ready'), { throwIfNoEntry: false })?.mtime ?? new Date()
    // ended with nobody left to note it: something killed the whole pod
    return { exitCode: alive ? null : (noted ?? boxExit(place.directory) ?? 137), startedAt: started.toISOString() }
  }
  const found = (uid: string, container: string) => {
    const pod = records.all.get(uid)
    const spec = pod?.spec.containers.find(it => it.name === container)
    if (!pod || !spec) throw new Error(`there is no container ${container} in pod ${uid}`)
    return { pod, spec, place: box(uid, pod, container) }
  }

  const caps = setInterval(() => {
    for (const [uid, pod] of records.all)
      for (const { name } of pod.spec.containers) capLog(join(directory(uid, name), 'log'), logBytes)
  }, 5000)
  caps.unref()

  const calls: PodCalls = {
    start: spec =>
      turn(spec.uid, async () => {
        const netns = records.all.get(spec.uid)?.netns ?? names.claim(spec.uid, `${spec.namespace}.${spec.name}`)
        const pod = { spec, netns }
        const fresh = await makeNetns(netns)
        const [nameserver] = spec.dns.nameservers
        if (nameserver) await clusters.nameServerAt(spec.clusterId, nameserver)
        if (fresh || !records.all.has(spec.uid)) await connect(spec, netns)
        records.keep(spec.uid, pod)
        for (const it of spec.volumes ?? []) makeVolume(volume(spec.uid, it.name), it)
        // a container that ran and ended is not started here: that is a restart, which its caller counts
        const missing = spec.containers.filter(({ name, turn }) => {
          const place = box(spec.uid, pod, name)
          // what the machine lost begins anew, with the first turn
          if (turn && fresh) rmSync(place.directory, { recursive: true, force: true })
          return !turn && (fresh || (boxPid(place) === null && boxExit(place.directory) === null))
        })
        await Promise.all(missing.map(it => run(spec.uid, pod, it)))
      }),
    stop: (uid, graceSeconds) => turn(uid, () => end(uid, graceSeconds)),
    async state(uid) {
      const pod = records.all.get(uid)
      if (!pod || !netnsExists(pod.netns)) return null
      const begun = pod.spec.containers.filter(it => !it.turn || existsSync(directory(uid, it.name)))
      const containers = Object.fromEntries(begun.map(({ name }) => [name, state(uid, pod, name)]))
      return { running: Object.values(containers).some(it => it.exitCode === null), containers }
    },
    restart: (uid, container) =>
      turn(uid, async () => {
        const { pod, spec, place } = found(uid, container)
        await stopBox(place)
        await run(uid, pod, spec)
      }),
    halt: (uid, container, graceSeconds) =>
      turn(uid, async () => {
        const pod = records.all.get(uid)
        if (pod) await halt(uid, pod, container, graceSeconds)
      }),
    refresh: (uid, volumes) =>
      turn(uid, async () => {
        for (const it of volumes) if (it.files && records.all.has(uid)) fillVolume(volume(uid, it.name), it)
      }),
    logs(uid, container, options) {
      const { pod, place } = found(uid, container)
      const ended = () => !records.all.has(uid) || state(uid, pod, container).exitCode !== null
      if (options.previous) return readLog(join(place.directory, 'log.previous'), () => true, options)
      return readLog(join(place.directory, 'log'), ended, options)
    },
    exec(uid, container, command, options) {
      const { pod, spec, place } = found(uid, container)
      const pid = boxPid(place)
      if (pid === null) throw new Error(`container ${container} of pod ${pod.spec.name} is not running`)
      return execInside(pid, command, { ...options, env: environment(pod.spec, spec), container: spec })
    },
  }

  return {
    calls,
    /** Ends what a node that goes away still holds. */
    async evacuate(node: string) {
      for (const [uid, { spec }] of records.all) if (spec.node === node) await calls.stop(uid, 0)
    },
    close: () => clearInterval(caps),
    list: () =>
      [...records.all].map(([id, pod]) => ({
        id,
        kind: 'pod' as const,
        name: `${pod.spec.namespace}/${pod.spec.name}`,
        netns: pod.netns,
        on: true,
        pid: pod.spec.containers.map(it => boxPid(box(id, pod, it.name))).find(it => it !== null) ?? null,
        env: pod.spec.containers[0] ? environment(pod.spec, pod.spec.containers[0]) : {},
        addresses: [pod.spec.ip],
      })),
  }
}

const environment = ({ name }: PodSpec, { env }: Container): Record<string, string> => ({
  PATH: plainEnvironment.PATH,
  HOME: '/root',
  HOSTNAME: name,
  ...env,
})

const furnish = (root: string, { name, ip, dns }: PodSpec, { files, mounts = [] }: Container) => {
  const resolv = [
    ...dns.nameservers.map(it => `nameserver ${it}`),
    ...(dns.searches.length > 0 ? [`search ${dns.searches.join(' ')}`] : []),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(' ')}`] : []),
  ]
  put(join(root, 'etc/resolv.conf'), `${resolv.join('\n')}\n`)
  put(join(root, 'etc/hosts'), `127.0.0.1 localhost\n${ip} ${name}\n`)
  put(join(root, 'etc/hostname'), `${name}\n`)
  for (const [path, content] of Object.entries(files)) put(join(root, path), content)
  for (const { path } of mounts) mkdirSync(join(root, path), { recursive: true })
}

const handles = (pid: number, signal: number): boolean => {
  const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1] ?? '0'
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n
}
