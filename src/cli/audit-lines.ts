import { Problem } from '../engine/problem.ts'
import { semaphore } from '../engine/semaphore.ts'
import { readAudit, readAuditFile } from '../hosts/audit-read.ts'
import { auditLog } from '../hosts/squid-conf.ts'
import type { GatewayTenant } from '../inventory/context.ts'
import { type AuditLine, parseAuditLine } from '../policy/audit-line.ts'
import type { Source } from '../policy/report.ts'
import { gatewayLogs } from '../rollout/gateway-pod/log.ts'
import { GATEWAY_NAMESPACE, gatewayName } from '../rollout/gateway-pod/manifests.ts'
import type { Kube } from '../rollout/kube/kube.ts'
import type { ProxyHost } from './audit-hosts.ts'
import type { Session } from './session.ts'

/** Where lines came from, and the problems of those that could not be read, or not wholly. */
export type Heard = { sources: Source[]; problems: Problem[] }

type Wanted = { since: number; seconds: number; signal: AbortSignal }

const atOnce = 8

/** Every line of these proxies since then, several proxies side by side. One that fails does not stop the others. */
export const hearProxies = (
  { clients: { ssh } }: Pick<Session, 'clients'>,
  proxies: readonly ProxyHost[],
  { since, seconds, signal }: Wanted,
  onLine: (line: AuditLine) => void,
): Promise<Heard> =>
  hear(
    proxies.map(({ name, host }) => ({
      name,
      read: onText => {
        if (!host) throw notThere(name)
        return readAudit(ssh, host, { log: auditLog, since, timeoutSeconds: seconds, signal }, onText)
      },
    })),
    onLine,
  )

/** The same of tenants that leave by pods of the cluster: what the pods that stand still have. */
export const hearGateways = (
  kube: Kube,
  tenants: readonly GatewayTenant[],
  onLine: (line: AuditLine) => void,
): Promise<Heard> =>
  hear(
    tenants.map(({ tenant }) => ({
      name: gatewayName(tenant),
      async read(onText) {
        const logs = await gatewayLogs(kube, tenant)
        if (logs.length === 0) throw notThere(gatewayName(tenant), 'the cluster has no pod of it')
        for (const { lines } of logs) for (const it of lines ?? []) onText(it)
        const unread = logs.find(it => !it.lines)
        if (unread) throw unreadPod(unread.pod, unread.why)
      },
    })),
    onLine,
  )

export const together = (...all: Heard[]): Heard => ({
  sources: all.flatMap(it => it.sources),
  problems: all.flatMap(it => it.problems),
})

/** The same of copies of logs, e.g. from where they are collected. */
export const hearFiles = (
  files: readonly string[],
  signal: AbortSignal,
  onLine: (line: AuditLine) => void,
): Promise<Heard> =>
  hear(
    files.map(file => ({ name: file, read: onText => readAuditFile(file, signal, onText).catch(unreadable(file)) })),
    onLine,
  )

type Reader = { name: string; read: (onText: (text: string) => void) => Promise<void> }

const hear = async (readers: readonly Reader[], onLine: (line: AuditLine) => void): Promise<Heard> => {
  const limited = semaphore(atOnce)
  const problems: Problem[] = []
  const sources = await Promise.all(
    readers.map(({ name, read }) =>
      limited(async (): Promise<Source> => {
        const source: Source = { proxy: name, lines: 0, unparsable: 0, problem: null }
        try {
          await read(text => {
            const line = parseAuditLine(text)
            if (line) {
              source.lines++
              onLine(line)
            } else if (text !== '') source.unparsable++
          })
        } catch (error) {
          const problem = (error as Error).name === 'TimeoutError' ? tooLong(name) : error
          if (!(problem instanceof Problem)) throw error
          problems.push(problem)
          source.problem = `${problem.message}: ${problem.why}`
        }
        return source
      }),
    ),
  )
  return { sources, problems }
}

const unreadPod = (pod: string, why: string) =>
  new Problem(`the audit log of ${pod} could not be read`, {
    why,
    next: `kubectl -n ${GATEWAY_NAMESPACE} logs ${pod} -c squid`,
  })

const notThere = (name: string, why = 'the cloud knows no such server, or it has no address') =>
  new Problem(`${name} does not stand yet`, {
    why,
    next: 'deploy.mjs makes it; there is no log of it before',
  })

const tooLong = (name: string) =>
  new Problem(`${name}: its log was not read to the end`, {
    why: 'there was no more time for it',
    next: 'replay.mjs reads all of it',
  })

const unreadable = (file: string) => (error: Error) => {
  if (error.name === 'AbortError') throw error
  throw new Problem(`${file} cannot be read as an audit log`, {
    why: error.message,
    next: 'name a copy of audit.log that you can read, plain or .gz, as --log FILE',
    cause: error,
  })
}
