import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewaySpec } from '../ports.ts'
import { boxPid, disk, listening, startBox, stopBox } from './box.ts'
import { put, readText } from './files.ts'
import { hostnameOf } from './hostname.ts'
import { bastion } from './init.ts'
import type { Links } from './links.ts'
import { dropNetns, makeNetns, nft } from './netns.ts'
import { createRecords, type Names } from './records.ts'
import { run, turns } from './run.ts'
import { addressOf, services, type World } from './world.ts'

type Gateway = { spec: GatewaySpec; netns: string; devices: Record<string, string> }

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Public Gateways: NAT for their networks, and a bastion that only forwards. */
export const createGateways = (world: World, links: Links, names: Names) => {
  const records = createRecords<Gateway>(world, 'gateways')
  const turn = turns()
  for (const [id, { netns }] of records.all) names.remember(netns, id)
  const box = (id: string, netns: string) => ({ directory: records.directory(id), netns })

  const connect = async (spec: GatewaySpec, netns: string, before: Gateway | null) => {
    await nft(netns, [{ name: 'gateway', body: gatewayRules(spec) }])
    if (!same(before?.spec.publicIp, spec.publicIp)) await links.publish(netns, [spec.publicIp])
    await links.defaultViaInternet(netns, spec.publicIp)
    const devices: Record<string, string> = {}
    for (const [network, device] of Object.entries(before?.devices ?? {})) {
      if (spec.networks.some(it => it.networkId === network)) devices[network] = device
      else await links.unplug(netns, device)
    }
    for (const { networkId, address } of spec.networks) {
      const taken = Object.values(devices)
      devices[networkId] ??= Array.from({ length: taken.length + 1 }, (_, n) => `eth${n + 1}`).find(
        it => !taken.includes(it),
      )!
      const was = before?.spec.networks.find(it => it.networkId === networkId)
      if (was?.address !== address) await links.plug(netns, devices[networkId]!, networkId, address)
    }
    return devices
  }

  const serve = async (spec: GatewaySpec, netns: string, before: Gateway | null) => {
    const directory = records.directory(spec.id)
    const up = disk(directory)
    const moved = before !== null && before.spec.bastion.port !== spec.bastion.port
    if (!spec.bastion.enabled || moved) await stopBox(box(spec.id, netns))
    if (!spec.bastion.enabled) return
    const pid = boxPid(box(spec.id, netns))
    await install(up, spec, services(world).dns)
    // an overlay that is mounted does not notice what changes below it
    const root = pid === null ? up : `/proc/${pid}/root`
    put(join(root, 'etc/ssh/bastion_keys'), spec.bastion.authorizedKeys.map(it => `${it.trim()}\n`).join(''))
    put(join(root, 'etc/ssh/bastion_config'), bastionConfig(spec.bastion.port))
    if (pid !== null) return
    await startBox(world, { ...box(spec.id, netns), hostname: spec.name, command: bastion })
    await listening(box(spec.id, netns), spec.bastion.port)
  }

  return {
    up: (spec: GatewaySpec) =>
      turn(spec.id, async () => {
        const known = records.all.get(spec.id)
        const netns = known?.netns ?? names.claim(spec.id, spec.name)
        const fresh = await makeNetns(netns, { forward: true })
        const before = fresh ? null : (known ?? null)
        if (!before || !same(before.spec, spec)) {
          records.keep(spec.id, { spec: { ...spec, publicIp: '', networks: [] }, netns, devices: {} })
          const devices = await connect(spec, netns, before)
          records.keep(spec.id, { spec, netns, devices })
        }
        await serve(spec, netns, before)
      }),
    down: (id: string) =>
      turn(id, async () => {
        const gateway = records.all.get(id)
        if (!gateway) return
        await stopBox(box(id, gateway.netns))
        for (const device of Object.values(gateway.devices)) await links.unplug(gateway.netns, device)
        await links.publish(gateway.netns, [])
        await dropNetns([gateway.netns])
        names.release(gateway.netns)
        records.drop(id)
      }),
    list: () =>
      [...records.all].map(([id, { spec, netns }]) => ({
        id,
        kind: 'gateway' as const,
        name: spec.name,
        netns,
        on: true,
        pid: boxPid(box(id, netns)),
        addresses: [spec.publicIp, ...spec.networks.map(it => addressOf(it.address))],
      })),
  }
}

/** The internet gets in to the bastion only, and from the allowed ranges only; the networks get out. */
export const gatewayRules = ({ bastion, networks }: GatewaySpec): string => {
  const ranges = bastion.enabled ? bastion.allowedIps.filter(it => !it.includes(':')) : []
  const from = (range: string) => (range.endsWith('/0') ? '' : `ip saddr ${range} `)
  return `
  chain input { type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
    meta l4proto icmp accept
    ${ranges.map(it => `iifname "eth0" ${from(it)}tcp dport ${bastion.port} accept`).join('\n    ')}
  }
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname != "eth0" oifname "eth0" accept
  }
  chain postrouting { type nat hook postrouting priority 100; policy accept;
    ${networks
      .filter(it => it.masquerade)
      .map(it => `ip saddr ${it.address} oifname "eth0" masquerade`)
      .join('\n    ')}
  }`
}

const install = async (up: string, spec: GatewaySpec, dns: string) => {
  const keys = ['ed25519', 'ecdsa'].map(type => ({ type, path: join(up, `etc/ssh/ssh_host_${type}_key`) }))
  put(join(up, 'etc/hostname'), `${hostnameOf(spec.name)}\n`)
  put(join(up, 'etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n`)
  put(join(up, 'etc/resolv.conf'), `nameserver ${dns}\n`)
  if (!existsSync(join(up, 'etc/shadow'))) {
    const others = (name: string) => (readText(name) ?? '').replace(/^bastion:.*\n/m, '')
    put(
      join(up, 'etc/passwd'),
      `${others('/etc/passwd')}bastion:x:900:65534:SSH bastion:/nonexistent:/usr/sbin/nologin\n`,
    )
    put(join(up, 'etc/shadow'), `${others('/etc/shadow')}bastion:*:19000:0:99999:7:::\n`, 0o600)
    put(join(up, 'etc/ssh/ssh_known_hosts'), '')
  }
  for (const { type, path } of keys)
    if (!existsSync(path)) await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', spec.name, '-f', path])
}

const bastionConfig = (port: number) => `Port ${port}
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
AllowUsers bastion
AuthorizedKeysFile /etc/ssh/bastion_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PermitTTY no
X11Forwarding no
AllowAgentForwarding no
ForceCommand /usr/sbin/nologin
MaxStartups 100:30:200
`
