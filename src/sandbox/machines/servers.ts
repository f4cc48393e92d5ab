import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerSpec } from '../ports.ts'
import { boxPid, disk, listening, startBox, stopBox } from './box.ts'
import { firstBoot } from './cloud-init.ts'
import { put } from './files.ts'
import { hostnameOf } from './hostname.ts'
import type { Links } from './links.ts'
import { dropNetns, ip, makeNetns, netnsExists } from './netns.ts'
import { fetchPackages } from './packages.ts'
import { createRecords, type Names } from './records.ts'
import type { Router } from './router.ts'
import { turns } from './run.ts'
import { services, type World } from './world.ts'

/** `devices`: which interface each NIC became; a NIC keeps its device for life. */
type Server = { spec: ServerSpec; netns: string; devices: Record<string, string>; on: boolean }

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Servers: a disk each, and while they are on a namespace and a pid 1. */
export const createServers = (world: World, links: Links, router: Router, names: Names) => {
  const records = createRecords<Server>(world, 'servers')
  const turn = turns()
  for (const [id, { netns, spec }] of records.all) {
    names.remember(netns, id)
    if (netnsExists(netns)) router.remember(netns, spec.securityGroup)
  }
  const box = (id: string, netns: string) => ({ directory: records.directory(id), netns })

  const connect = async (spec: ServerSpec, netns: string, before: Server | null): Promise<Record<string, string>> => {
    const old = before?.spec.publicIps ?? []
    // the group first: there is no moment in which a server is on the internet unguarded
    await router.guard(netns, spec.securityGroup)
    if (old.length > 0 && spec.publicIps.length > 0) await links.readdress(netns, old, spec.publicIps)
    else if (!same(old, spec.publicIps)) await links.publish(netns, spec.publicIps)
    const devices: Record<string, string> = {}
    for (const [nic, device] of Object.entries(before?.devices ?? {})) {
      if (spec.nics.some(it => it.id === nic)) devices[nic] = device
      else await links.unplug(netns, device)
    }
    for (const nic of spec.nics) {
      const was = before?.spec.nics.find(it => it.id === nic.id)
      devices[nic.id] ??= freeDevice(Object.values(devices))
      if (was && same({ ...was, defaultRoute: null }, { ...nic, defaultRoute: null })) continue
      await links.plug(netns, devices[nic.id]!, nic.networkId, nic.address, nic.mac)
    }
    const inner = spec.nics.find(it => it.defaultRoute !== null)
    if (spec.publicIps[0]) await links.defaultViaInternet(netns, spec.publicIps[0])
    else if (inner)
      await ip([`route replace default via ${inner.defaultRoute} dev ${devices[inner.id]}`], { ns: netns })
    else await ip(['route del default'], { ns: netns, force: true })
    return devices
  }

  const boot = async (spec: ServerSpec, netns: string) => {
    const directory = records.directory(spec.id)
    if (!existsSync(join(directory, 'up/etc/machine-id'))) install(directory, spec, services(world).dns)
    await startBox(world, { ...box(spec.id, netns), hostname: spec.name, command: ['/usr/lib/sandbox/init'] })
    // But not for ever: what the user data does before sshd starts is not ours to judge.
    await listening(box(spec.id, netns), 22)
  }

  const off = async (id: string) => {
    const server = records.all.get(id)
    if (!server) return
    await stopBox(box(id, server.netns))
    // the links go with the namespace, but in the kernel's own time: an address may be wanted elsewhere at once
    for (const device of Object.values(server.devices)) await links.unplug(server.netns, device)
    if (server.spec.publicIps.length > 0) await links.publish(server.netns, [])
    await dropNetns([server.netns])
    await router.guard(server.netns, null)
    records.keep(id, { ...server, on: false })
  }

  return {
    up: (wanted: ServerSpec) =>
      turn(wanted.id, async () => {
        const known = records.all.get(wanted.id)
        const spec = { ...wanted, publicIps: inOrder(wanted.publicIps, known?.spec.publicIps ?? []) }
        const netns = known?.netns ?? names.claim(spec.id, spec.name)
        const fresh = await makeNetns(netns)
        const before = fresh ? null : (known ?? null)
        if (!before || !same(before.spec, spec) || !before.on) {
          // written down before and after: a daemon that dies in between makes all links anew
          records.keep(spec.id, { spec: { ...spec, publicIps: [], nics: [] }, netns, devices: {}, on: false })
          const devices = await connect(spec, netns, before)
          records.keep(spec.id, { spec, netns, devices, on: true })
        }
        const running = boxPid(box(spec.id, netns)) !== null
        if (!running) await boot(spec, netns)
        void fetchPackages(() => boxPid(box(spec.id, netns)), join(records.directory(spec.id), 'up'))
      }),
    off: (id: string) => turn(id, () => off(id)),
    delete: (id: string) =>
      turn(id, async () => {
        await off(id)
        const server = records.all.get(id)
        if (server) names.release(server.netns)
        records.drop(id)
      }),
    list: () =>
      [...records.all].map(([id, { spec, netns, on }]) => ({
        id,
        kind: 'server' as const,
        name: spec.name,
        netns,
        on,
        pid: boxPid(box(id, netns)),
        addresses: [...spec.publicIps, ...spec.nics.map(it => it.address.split('/')[0]!)],
      })),
  }
}

/** A server leaves with the first address it was given, as long as it has it: more of them change nothing. */
const inOrder = (addresses: string[], before: string[]): string[] => [
  ...before.filter(it => addresses.includes(it)),
  ...addresses.filter(it => !before.includes(it)),
]

const freeDevice = (taken: string[]): string => {
  for (let n = 1; ; n++) if (!taken.includes(`eth${n}`)) return `eth${n}`
}

/** A disk as it comes from the image, with what this server's first boot is to do. */
const install = (directory: string, spec: ServerSpec, dns: string) => {
  const root = disk(directory)
  const etc = (name: string, content: string, mode?: number) => put(join(root, 'etc', name), content, mode)
  mkdirSync(join(root, 'etc'), { recursive: true, mode: 0o755 })
  const name = hostnameOf(spec.name)
  etc('hostname', `${name}\n`)
  etc('hosts', `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost ip6-localhost\n`)
  etc('resolv.conf', `nameserver ${dns}\n`)
  const { script } = firstBoot(spec.userData, { ...spec, name })
  put(join(root, 'var/lib/cloud/instance/first-boot.sh'), script, 0o700)
  if (spec.userData) put(join(root, 'var/lib/cloud/instance/user-data.txt'), spec.userData, 0o600)
  etc('machine-id', `${randomUUID().replaceAll('-', '')}\n`)
}
