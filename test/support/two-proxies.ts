import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import { createKube } from '../../src/rollout/kube/kube.ts'
import type { KubeObject } from '../../src/rollout/kube/object.ts'
import { makeCheckout } from './checkout.ts'
import { until } from './until.ts'

/** How clients that try again fared; `slow` are the requests that did not succeed at once, `lost` those that never did. */
export type Load = {
  asked: number
  lost: number
  slow: { began: number; ms: number; tries: number }[]
  by: Record<string, number>
}
/** Of losses one after the other, in ms: until the slice said so, and the slowest request around each of them. */
export type Losses = { out: number[]; worst: number[]; loads: Load[] }

export const names = ['proxy-client-a', 'proxy-client-a-2'] as const

/** All of it: a kid whose master died goes on serving, and a master whose kid died starts another. */
export const killSquid =
  'for it in /proc/[0-9]*; do case $(readlink $it/exe) in */squid) kill -9 ${it#/proc/} ;; esac; done'

const second = '{ name: proxy-client-a-2, type: PLAY2-PICO, image: ubuntu_noble, privateIp: 172.16.28.18 }'
// A policy that names what the health loop asks for changes nothing for it.
const written = `  proxies:\n    - $1\n    - ${second}\n  deny: [{ domain: proxy-health.invalid }]`

/** A sandbox whose one tenant has two proxies, to be deployed by its user, and what can be done to them there. */
export const twoProxies = () => {
  const checkout = makeCheckout()
  const folder = join(checkout.directory, 'inventory/sandbox/tenants')
  const file = join(folder, 'client-a.yaml')
  rmSync(join(folder, 'client-b.yaml'))
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}proxy: (.*)$/m, written))

  let connected: ReturnType<typeof createKube> | undefined
  const kube = () => {
    connected ??= createKube({ kubeconfig: join(checkout.state, 'kubeconfig') })
    return connected
  }
  const slice = {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    ...{ namespace: 'client-a-demo', name: 'egress-proxy' },
  }
  const service = async () => {
    const found = await kube().get<KubeObject>({ ...slice, apiVersion: 'v1', kind: 'Service' })
    return (found!.spec as { clusterIP: string }).clusterIP
  }
  const readiness = async () =>
    ((await kube().get<KubeObject>(slice))!.endpoints as { conditions: { ready: boolean } }[]).map(
      it => it.conditions.ready,
    )
  const becomes = async (...wanted: boolean[]) =>
    assert.ok(await until(async () => String(await readiness()) === String(wanted), 60), `${wanted}`)

  const hosts = async () => {
    const { stdout } = await checkout.start('sandbox.mjs', ['status', '--json'])
    return (JSON.parse(stdout) as { hosts: { name: string; netns: string }[] }).hosts
  }
  const pod = async () => (await hosts()).find(it => it.name.startsWith('client-a-demo/curl-demo'))!
  const onProxy = async (name: string, command: string) => {
    const it = await checkout.start('sandbox.mjs', ['exec', name, '--', 'sh', '-c', command])
    assert.is(it.exitCode, 0, it.stderr)
    return it.stdout
  }

  /** Starts a program of ours in the network of a pod; it ends with its stdin. */
  const inNetwork = async (program: string, ...args: string[]) => {
    const words = [process.execPath, join(import.meta.dirname, program), await service(), '3128', ...args]
    const child = spawn('ip', ['netns', 'exec', (await pod()).netns, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
    const heard = { text: '' }
    child.stdout.on('data', it => {
      heard.text += it
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    return {
      heard: () => heard.text,
      async end() {
        child.stdin.end()
        await ended
        return heard.text
      },
    }
  }
  /** Twenty clients that ask again and again; `end` says how they fared. A try may take long: the machine may be slow. */
  const load = async (tryMs = 20_000) => {
    const it = await inNetwork('retrying.mjs', 'http://whatismyip.example/', '20', String(tryMs))
    return { end: async (): Promise<Load> => JSON.parse(await it.end()) }
  }
  /** Open tunnels, and how many of them have ended. */
  const tunnels = async (count: number) => {
    const it = await inNetwork('tunnels.mjs', 'whatismyip.example:443', String(count))
    assert.ok(await until(() => it.heard().includes(`open ${count}`), 30), it.heard())
    return { end: it.end, ended: () => Number(/ended (\d+)\n$/.exec(it.heard())?.[1] ?? 0) }
  }
  const noticed = () => until(async () => (await readiness()).includes(false), 30)

  /** `kill -9` of the one and the other by turns, under load. */
  const killByTurns = async (times: number): Promise<Losses> => {
    const running = await load()
    const [out, moments]: [number[], number[]] = [[], []]
    for (let time = 0; time < times; time++) {
      const name = names[time % 2]!
      await sleep(300)
      moments.push(Number((await onProxy(name, `date +%s%3N; ${killSquid}`)).trim()))
      await noticed()
      out.push(Date.now() - moments.at(-1)!)
      await onProxy(name, 'service squid start')
      await becomes(true, true)
    }
    const it = await running.end()
    const around = (at: number) =>
      it.slow.filter(({ began, ms }) => began + ms >= moments[at]! && began < (moments[at + 1] ?? Infinity))
    return { out, worst: moments.map((_, at) => Math.max(0, ...around(at).map(it => it.ms))), loads: [it] }
  }
  /** All packets to the first are dropped for a while, under load of clients that give a try half a second. */
  const vanish = async (times: number): Promise<Losses> => {
    const all: Losses = { out: [], worst: [], loads: [] }
    const { netns } = (await hosts()).find(it => it.name === names[0])!
    const nft = (text: string) => execa('ip', ['netns', 'exec', netns, 'nft', text])
    for (let time = 0; time < times; time++) {
      const running = await load(500)
      await sleep(300)
      const began = Date.now()
      await nft('table inet gone { chain everything { type filter hook prerouting priority -500; policy drop; }; }')
      await noticed()
      all.out.push(Date.now() - began)
      await sleep(500)
      await nft('delete table inet gone')
      await becomes(true, true)
      const it = await running.end()
      all.worst.push(Math.max(0, ...it.slow.map(it => it.ms)))
      all.loads.push(it)
    }
    return all
  }

  return {
    ...{ checkout, file, slice, kube, readiness, becomes, pod, onProxy, noticed },
    ...{ load, tunnels, killByTurns, vanish },
    async remove() {
      await connected?.close()
      await checkout.remove()
    },
  }
}
