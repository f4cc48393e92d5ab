import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Ssh } from '../../../src/hosts/ssh.ts'
import type { PodFirewall, PodSpec, Pods } from '../../../src/sandbox/ports.ts'
import { type Command, memoryPods } from '../../rollout/cluster.ts'
import { FORBIDDEN, PARTNER, PROXIES, PROXY } from './inventory.ts'

/** Where a pod without a way of its own is seen to come from. */
const NODE = '198.51.100.1'

/** Whether a pod that leaves by the proxy is seen with another address all the same. */
export type Astray = (pod: PodSpec, command: string[]) => boolean
/** Whether the partner takes connections from an address. */
export type LetsIn = (address: string) => boolean

/**
 * What pods on record see when they are asked: by their variables the proxy, which writes its log into `log`; past it
 * the node's address, unless a policy holds them.
 */
export const street = (
  log: string,
  { isAstray = () => false, letsIn = () => false }: { isAstray?: Astray; letsIn?: LetsIn } = {},
): Pods & ReturnType<typeof memoryPods> => {
  const pods = memoryPods()
  let held = new Set<string>()
  pods.commands.run = (pod, command) => {
    const answer = answerTo(pod, command, { log, letsIn, isHeld: held.has(pod.ip) })
    const isEcho = PROXIES.some(it => answer.stdout?.startsWith(it.publicIp))
    return isEcho && isAstray(pod, command) ? { ...answer, stdout: NODE } : answer
  }
  return {
    ...pods,
    async setPolicies(_cluster: string, firewalls: PodFirewall[]) {
      held = new Set(firewalls.filter(it => it.egress).map(it => it.podIp))
    },
  }
}

/** Pods of paper have no variables that could be looked at: all are seen as if they had moved. */
export const paperStreet = (log: string): ReturnType<typeof street> => {
  const pods = street(log)
  const env = { http_proxy: `http://${PROXY.privateIp}:3128` }
  const anyone = { ip: '100.64.0.1', containers: [{ env }] } as unknown as PodSpec
  pods.commands.run = (_, command) => answerTo(anyone, command, { log, letsIn: () => false, isHeld: true })
  return { ...pods, exec: (_, ...rest) => pods.exec(ANYONE, ...rest), running: pods.running.set(ANYONE, anyone) }
}
const ANYONE = 'anyone'

type Seen = { log: string; letsIn: LetsIn; isHeld: boolean }

/** As `curl` and `cat /proc/net/tcp` in that pod would answer. */
export const answerTo = (
  { containers, ip }: Pick<PodSpec, 'containers' | 'ip'>,
  [program, ...args]: string[],
  { log, letsIn, isHeld }: Seen,
): ReturnType<Command> => {
  if (program === 'cat') return { code: 0, stdout: '  sl  local_address rem_address   st\n' }
  if (program !== 'curl') return { code: 127 }
  const given = (flag: string) => args.findLast((_, at) => args[at - 1] === flag)
  const { hostname } = new URL(args.at(-1)!)
  const env = containers[0]?.env ?? {}
  if (hostname.endsWith('.svc')) return { code: 0, stdout: '401 000' }
  const direct = isHeld ? { code: 28, stdout: '0.000000', stderr: 'timed out' } : { code: 0, stdout: `${NODE}\n` }
  const proxy = given('--noproxy') === '*' ? undefined : (given('--proxy') ?? env.http_proxy)
  if (!proxy) return direct
  const { name, publicIp } = PROXIES.find(it => proxy.includes(`${it.privateIp}:`))!
  const isPartner = PARTNER.prove.includes(`/${hostname}/`)
  if (isPartner && !letsIn(publicIp)) return { code: 28, stdout: '\nseen 000 000', stderr: 'timed out' }
  const isDenied = hostname.endsWith(FORBIDDEN)
  const egress = isDenied ? '-' : publicIp
  const tenant = name.replace('proxy-', '')
  const line = auditLine({ tenant, client: ip, host: hostname, agent: given('-A') ?? '', egress, isDenied })
  appendFileSync(log, `${line}\n`)
  return { code: 0, stdout: isDenied ? '403 000' : isPartner ? '\nseen 401 200' : `${publicIp}\n` }
}

type Request = { tenant: string; client: string; host: string; agent: string; egress: string; isDenied: boolean }

const auditLine = ({ tenant, client, host, agent, egress, isDenied }: Request): string =>
  JSON.stringify({
    ...{ time: new Date().toISOString(), tenant, client, listener: '3128', method: 'GET', host, port: '80' },
    ...{ path: '/', resolved: isDenied ? '-' : '192.0.2.7', egress, status: isDenied ? '403' : '200', squid: '-' },
    ...{ verdict: isDenied ? 'denied' : 'allowed', rule: '-', revision: '-', bytesIn: '1', bytesOut: '1', ms: '1' },
    agent: encodeURIComponent(agent),
  })

/** The proxy's machine, of which nothing is asked but its log: what `tail | grep | tail` would find. */
export const proxyAt = (log: string): Ssh => {
  const newLines = tailOf(log)
  let lines: string[] = []
  const exec: Ssh['exec'] = async (_host, { stdin }) => {
    const [, needle] = /grep -F -- '?([^' ]+)'? \|/.exec(String(stdin)) ?? []
    if (needle === undefined) throw new Error(`the proxy is asked for more than its log: ${stdin}`)
    lines = [...lines, ...newLines()].slice(-5000)
    const found = lines.filter(it => it.includes(needle)).slice(-500)
    return { code: 0, stdout: found.map(it => `${it}\n`).join(''), stderr: '' } as Awaited<ReturnType<Ssh['exec']>>
  }
  return { exec, fresh: exec, close: async () => undefined }
}

/** What came since it was last asked. */
const tailOf = (file: string) => {
  let at = 0
  let rest = ''
  return (): string[] => {
    if (!existsSync(file)) return []
    const open = openSync(file, 'r')
    const bytes = Buffer.alloc(Math.max(0, fstatSync(open).size - at))
    at += readSync(open, bytes, 0, bytes.length, at)
    closeSync(open)
    const lines = `${rest}${bytes}`.split('\n')
    rest = lines.pop() ?? ''
    return lines
  }
}
