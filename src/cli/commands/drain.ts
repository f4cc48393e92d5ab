import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { millis } from '../../engine/duration.ts'
import { nearest } from '../../engine/nearest.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { openAt } from '../../hosts/connections.ts'
import { machinesIn, type Tenant } from '../../inventory/context.ts'
import { table } from '../../report/table.ts'
import { type Behind, behindService, markDraining } from '../../rollout/drain.ts'
import { proxiesOf } from '../audit-hosts.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

const kubeOf = ({ context, state, clients }: Session) =>
  clients.kube(context.cluster.kubeconfig ?? join(state, 'kubeconfig'))

type Place = { tenant: Tenant; address: string; port: number }

/** A proxy before maintenance: no new connections, then a wait until the open ones have ended. */
export const drain = async (session: Session): Promise<ExitCode> => {
  const { proxy, undo, check } = session.flags
  if (proxy === undefined) return show(session)
  const places = placesOf(session, proxy)
  const waitMs = waitOf(session)
  const late = []
  for (const it of places) if ((await found(session, it)).draining === undo) late.push(it)
  const changes = { ...noChanges, update: late.length, unchanged: places.length - late.length }
  if (check) return finish(session, { status: late.length > 0 ? 'changes-pending' : 'ok', changes })
  for (const { tenant, address } of late)
    await markDraining(kubeOf(session), tenant.namespace, address, undo ? null : new Date().toISOString())
  for (const it of places) await untilReady(session, it, undo)
  if (undo) session.output.say(`${proxy} gets new connections again`)
  else await untilEmpty(session, proxy, places, waitMs)
  return finish(session, { status: 'ok', changes })
}

/** Without a name: who is behind the Services, and who is being drained. */
const show = async (session: Session): Promise<ExitCode> => {
  const rows = await Promise.all(
    session.context.tenants
      .filter(it => it.egress.through === 'service')
      .map(async ({ tenant, namespace, egress }) => {
        const behind = (await behindService(kubeOf(session), namespace)) ?? []
        return egress.proxies.map(({ name, privateIp }) => {
          const it = behind.find(({ address }) => address === privateIp)
          return { tenant, proxy: name, address: privateIp, ready: it?.ready ?? false, draining: it?.draining ?? false }
        })
      }),
  )
  session.output.event('behind', { proxies: rows.flat() })
  if (rows.flat().length === 0)
    session.output.say('no tenant has several proxies, so none can be drained: list them as egress.proxies')
  else
    session.output.data(
      table(
        ['tenant', 'proxy', 'address', 'new connections', ''],
        rows
          .flat()
          .map(it => [it.tenant, it.proxy, it.address, it.ready ? 'yes' : 'no', it.draining ? 'draining' : '']),
      ),
    )
  return finish(session, { status: 'ok', changes: noChanges })
}

/** Where a proxy stands behind a Service: for each tenant that it serves. */
const placesOf = ({ context }: Session, name: string): Place[] => {
  const machines = machinesIn(context)
  const machine = machines.find(it => it.proxy.name === name)
  if (!machine) {
    const known = machines.map(it => it.proxy.name)
    const near = nearest(name, known)
    const next = near ? `did you mean ${near}?` : 'name one of these'
    throw new Problem(`no proxy ${name}`, { why: `the proxies are ${known.join(', ')}`, next, exit: 2 })
  }
  return machine.serves.map(({ tenant, proxy }) => {
    if (tenant.egress.proxies.length > 1) return { tenant, address: proxy.privateIp, port: proxy.port }
    throw new Problem(`${name} cannot be drained`, {
      why: `tenant ${tenant.tenant} has no other proxy`,
      next: `list several as egress.proxies in tenants/${tenant.tenant}.yaml; nothing was touched`,
      exit: 2,
    })
  })
}

const found = async (session: Session, { tenant, address }: Place): Promise<Behind> => {
  const behind = await behindService(kubeOf(session), tenant.namespace)
  const it = behind?.find(one => one.address === address)
  if (it) return it
  throw new Problem(`${address} is not behind the Service of ${tenant.tenant}`, {
    why: behind ? `it has ${behind.map(one => one.address).join(', ') || 'nobody'}` : 'there is no such Service yet',
    next: 'npx zx scripts/50-rollout.mjs makes it',
  })
}

/** The health loop carries it out; it looks for marks every 20 rounds of 0.25 s. */
const untilReady = async (session: Session, place: Place, wanted: boolean): Promise<void> => {
  const signal = session.world.abort
  for (const end = Date.now() + loopMs; Date.now() < end; await delay(250, undefined, { signal }))
    if ((await found(session, place)).ready === wanted) return
  const { tenant, address } = place
  throw new Problem(`${address} still gets ${wanted ? 'no ' : ''}new connections`, {
    why: wanted
      ? 'the health loop does not find it well, or does not run'
      : `no other proxy of ${tenant.tenant} answers, or the health loop does not run`,
    next: `kubectl -n ${tenant.namespace} logs deployment/egress-proxy-health; then the same command again`,
  })
}

const loopMs = 60_000

const waitOf = ({ flags: { within = '10m' } }: Session): number => {
  if (/^\d+(\.\d+)?(ms|s|m|h)$/.test(within)) return millis(within)
  const next = 'e.g. --within 90s, or 1h; nothing was touched'
  throw new Problem(`--within ${within} is no time`, { why: 'a time is a number with ms, s, m or h', next, exit: 2 })
}

const untilEmpty = async (session: Session, name: string, places: Place[], waitMs: number): Promise<void> => {
  const { output, clients, world } = session
  const end = Date.now() + waitMs
  const host = (await proxiesOf(session)).find(it => it.name === name)?.host
  if (!host)
    throw new Problem(`${name} does not stand`, { why: 'it was not made yet', next: 'nothing is to be drained' })
  const ports = [...new Set(places.map(it => it.port))]
  for (let told = -1; ; await delay(1000, undefined, { signal: world.abort })) {
    const open = await openAt(clients.ssh, host, ports, world.abort)
    if (open === 0) return output.say(`${name} is drained: nothing is open, and nothing new comes`)
    if (open !== told) output.say(`${name}: ${open} connections are open`)
    told = open
    if (Date.now() < end) continue
    throw new Problem(`${name} still has ${open} connections after ${waitMs / 1000} s`, {
      why: 'tunnels end when their clients end them; new ones go elsewhere',
      next: 'wait on with the same command; go on, and they are cut; or --undo',
    })
  }
}
