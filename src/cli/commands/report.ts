import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { throwAll } from '../../engine/plan.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { isGateway } from '../../inventory/context.ts'
import type { AuditLine } from '../../policy/audit-line.ts'
import { policyOf } from '../../policy/entries.ts'
import { createReport, type Report } from '../../policy/report.ts'
import { auditPage } from '../../report/audit-page.ts'
import { auditText } from '../../report/audit-table.ts'
import { proxiesOf } from '../audit-hosts.ts'
import { type Heard, hearFiles, hearGateways, hearProxies, together } from '../audit-lines.ts'
import { withOnly } from '../limit.ts'
import type { Session } from '../session.ts'
import { sinceOf } from '../since.ts'
import { finish, noChanges } from '../summary.ts'
import { whoIs } from '../who-is.ts'

const formats = ['table', 'json', 'html'] as const

/** A log may be gigabytes behind a slow link. */
const readSeconds = 3600

/** What left, by tenant: from the audit logs of all proxies, or from copies of them. Looks only. */
export const report = async (asked: Session): Promise<ExitCode> => {
  const session = forTenant(asked)
  const { context, flags, output } = session
  const format = formatOf(flags.format)
  const until = Date.now()
  const since = sinceOf(flags.since, until)
  const from = flags.log.length > 0 ? () => null : await whoIs(session)
  const policies = context.tenants.map(it => policyOf(context, it))
  const adding = createReport({ ...{ context: context.context, since, until, policies, from } })
  const { sources, problems } = await hearAll(session, since, line => {
    if (flags.tenant === undefined || line.tenant === flags.tenant) adding.add(line)
  })
  const made = adding.end(sources)
  output.event('report', { report: made })
  const text = textIn[format](made)
  if (flags.output === undefined) output.data(text)
  else {
    put(flags.output, text)
    output.say(`written to ${flags.output}`)
  }
  // What could be read was told; a proxy that could not be asked is a failure all the same.
  throwAll(problems)
  return finish(session, { status: 'ok', changes: noChanges })
}

/** With the one tenant that `--tenant` names. */
export const forTenant = (session: Session): Session => {
  const { context, flags } = session
  if (flags.tenant === undefined) return session
  const tenants = context.tenants.filter(it => it.tenant === flags.tenant)
  if (tenants.length > 0) return { ...session, context: withOnly(context, tenants) }
  throw new Problem(`no tenant ${JSON.stringify(flags.tenant)}`, {
    why: `the tenants of ${context.context} are ${context.tenants.map(it => it.tenant).join(', ')}`,
    next: 'name one of these; nothing was touched',
    exit: 2,
  })
}

/** The lines of the context's proxies, or of the files that `--log` names. */
export const hearAll = async (
  session: Session,
  since: number,
  onLine: (line: AuditLine) => void,
  seconds = readSeconds,
  signal = session.world.abort,
): Promise<Heard> => {
  const { context, flags, state, clients } = session
  if (flags.log.length > 0) return hearFiles(flags.log, signal, onLine)
  const kube = clients.kube(context.cluster.kubeconfig ?? join(state, 'kubeconfig'))
  const [hosts, pods] = await Promise.all([
    proxiesOf(session).then(it => hearProxies(session, it, { since, seconds, signal }, onLine)),
    hearGateways(kube, context.tenants.filter(isGateway), onLine),
  ])
  return together(hosts, pods)
}

const textIn: Record<(typeof formats)[number], (it: Report) => string> = {
  table: it => auditText(it),
  json: it => JSON.stringify(it, null, 2),
  html: auditPage,
}

const formatOf = (text = 'table') => {
  const format = formats.find(it => it === text)
  if (format) return format
  throw new Problem(`--format ${JSON.stringify(text)} is not known`, {
    why: `a report is ${formats.join(', ')}`,
    next: 'name one of these; nothing was touched',
    exit: 2,
  })
}

const put = (file: string, text: string) => {
  try {
    // Names of tenants and of whom they call are nobody else's to read.
    writeFileSync(resolve(file), `${text}\n`, { mode: 0o600 })
  } catch (cause) {
    throw new Problem(`${file} cannot be written`, {
      why: (cause as Error).message,
      next: 'name a file that you may write to: --output FILE',
      exit: 2,
      cause,
    })
  }
}
