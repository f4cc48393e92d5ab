import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePlan } from '../../engine/plan.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { listOf } from '../../inventory/ansible/list.ts'
import type { Machine } from '../../inventory/ansible/login.ts'
import { readAnsible } from '../../inventory/ansible/read.ts'
import { type Context, machinesIn, type ProxyHost } from '../../inventory/context.ts'
import { dynamicInventory, type Reached } from '../../inventory/dynamic.ts'
import { type Bastion, sshConfig } from '../../inventory/ssh-config.ts'
import type { Session } from '../session.ts'
import { siteOf } from '../stages.ts'
import { finish, noChanges } from '../summary.ts'

/** Ansible's contract for dynamic inventories: `--list` is everything, `--host NAME` one host's variables. */
export const inventory = async (session: Session): Promise<ExitCode> => {
  const { flags, context, state } = session
  if (flags.from !== undefined) return theirs(session, flags.from)
  const { hosts, bastion } = await look(session)
  const files = { config: join(state, 'ssh_config'), knownHosts: join(state, 'known_hosts') }
  const ssh = sshConfig(hosts, { knownHosts: files.knownHosts, ...(bastion && { bastion }) })
  put(files.knownHosts, ssh.knownHosts)
  put(files.config, ssh.config)
  const list = dynamicInventory(context, hosts, files.config)
  if (flags.host === undefined) return tell(session, list)
  const known = machinesIn(context).map(it => it.proxy.name)
  if (!known.includes(flags.host)) throw noHost(flags.host, known)
  // One that is not made yet has none.
  return tell(session, list._meta.hostvars[flags.host] ?? {})
}

/** An inventory of Ansible, told as we understand it; passwords in it are nobody's to see. */
const theirs = (session: Session, from: string): ExitCode => {
  const list = listOf(readAnsible(from))
  const { hostvars } = list._meta
  for (const vars of Object.values(hostvars))
    for (const key of Object.keys(vars)) if (/^ansible_\w*pass(word|phrase)?$/.test(key)) vars[key] = '(hidden)'
  const { host } = session.flags
  if (host === undefined) return tell(session, list)
  const known = Object.values(list as Record<string, { hosts?: string[] }>).flatMap(it => it.hosts ?? [])
  if (!known.includes(host)) throw noHost(host, [...new Set(known)])
  return tell(session, hostvars[host] ?? {})
}

/** What Ansible reads; with --json one event of it, and the summary. */
const tell = (session: Session, answer: object): ExitCode => {
  session.output.data(JSON.stringify(answer, null, 2))
  session.output.event('inventory', { inventory: answer })
  return finish(session, { status: 'ok', changes: noChanges })
}

/** The hosts that exist, and what stands before them. */
const look = async (session: Session): Promise<{ hosts: Reached[]; bastion?: Bastion }> => {
  const { context, world } = session
  const { ssh, gateway } = context
  const { cloud, ids } = siteOf(session)
  const plan = await makePlan(cloud, world)
  const live = (id: string) => plan.seen.get(id)?.live as Record<string, unknown> | null | undefined
  const throughBastion = ssh.via === 'bastion' && gateway.bastion
  const hosts = machinesIn(context).flatMap(({ proxy }): Reached[] => {
    if (proxy.machine) return [existing(context, proxy, proxy.machine)]
    const [machine, flexible] = [live(`server/${proxy.name}`), live(`flexible-ip/${proxy.name}`)?.address]
    const address = throughBastion ? proxy.privateIp : flexible
    if (!machine || typeof address !== 'string') return []
    const { hostKey } = machine
    return [
      {
        ...{ host: proxy.name, address, port: ssh.port, user: ssh.user, identity: ssh.identity },
        hostKeys: typeof hostKey === 'string' ? [hostKey] : [],
        facts: {
          ...(flexible ? { egress_public_ip: flexible } : {}),
          ...(hostKey ? { egress_host_key: hostKey } : {}),
        },
      },
    ]
  })
  const address = live(ids.gatewayIp)?.address
  if (!throughBastion || typeof address !== 'string') return { hosts }
  const { port, hostKeys = [] } = throughBastion
  const { identity, knownHosts } = ssh
  return { hosts, bastion: { address, port, user: 'bastion', identity, hostKeys, knownHosts } }
}

/** One that exists already is reached as the inventory of Ansible says. */
const existing = (
  { ssh }: Context,
  { name, existing }: ProxyHost,
  { address, port = ssh.port, user = ssh.user, identity = ssh.identity, hostKeys, jump }: Machine,
): Reached => ({
  ...{ host: name, address, port, user, identity, hostKeys, knownHosts: ssh.knownHosts },
  jump: jump ? `${jump.user ?? user}@${jump.address}:${jump.port}` : '',
  facts: { egress_public_ip: existing?.publicIp },
})

/** Whole or not at all: an ssh may read it now. */
const put = (file: string, text: string) => {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, text, { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
}

const noHost = (name: string, known: string[]) =>
  new Problem(`no host ${name}`, { why: `the hosts are ${known.join(', ')}`, next: 'name one of these', exit: 2 })
