import type { Denial, Report, TenantReport } from '../policy/report.ts'
import type { Folded } from '../policy/tally.ts'
import { table } from './table.ts'
import { bytesText, countText, visible } from './visible.ts'

/** The report for a terminal: each list with its `most` busiest lines. What comes from the log cannot draw there. */
export const auditText = ({ context, since, until, sources, tenants, totals }: Report, most = 20): string => {
  const span = `${context}: ${shortTime(since)} to ${shortTime(until)}`
  const lines = sources.reduce((sum, it) => sum + it.lines, 0)
  const bad = sources.filter(it => it.unparsable > 0)
  return [
    `${span}, ${countText(totals.requests)} of ${countText(lines)} lines from ${sources.length} ${sources.length === 1 ? 'log' : 'logs'}`,
    ...bad.map(it => `${visible(it.proxy)}: ${countText(it.unparsable)} lines are not of the audit log's form`),
    ...sources.flatMap(it => (it.problem ? [`NOT WHOLE: ${visible(it.problem, 300)}`] : [])),
    ...tenants.flatMap(it => ['', ...tenantText(it, most)]),
  ].join('\n')
}

const tenantText = (it: TenantReport, most: number): string[] => {
  const { tenant, mode, totals, revisions, destinations, denials, wouldBe, suggested, unused, more } = it
  const { requests, allowed, denied, wouldDeny, undecided, tunnels, bytesIn, bytesOut } = totals
  return [
    `── ${visible(tenant)}${mode ? ` (${mode})` : ''} ──`,
    [
      `${countText(requests)} requests: ${countText(allowed)} allowed, ${countText(denied)} denied`,
      ...(wouldDeny > 0 ? [`${countText(wouldDeny)} would be denied`] : []),
      ...(undecided > 0 ? [`${countText(undecided)} were no requests`] : []),
      `${countText(tunnels)} tunnels, ${bytesText(bytesIn)} sent, ${bytesText(bytesOut)} received`,
      ...(revisions.length > 0
        ? [
            `policy ${revisions
              .map(it => visible(it))
              .slice(-3)
              .join(', ')}`,
          ]
        : []),
    ].join('; '),
    ...section(
      'top destinations',
      ['destination', 'requests', 'denied', 'would be', 'tunnels', 'sent', 'received', 'last seen'],
      destinations.map(one => [
        placeText(one),
        countText(one.requests),
        countText(one.denied),
        countText(one.wouldDeny),
        countText(one.tunnels),
        bytesText(one.bytesIn),
        bytesText(one.bytesOut),
        shortTime(one.lastSeen),
      ]),
      most,
      more.destinations,
    ),
    ...section('denied', denialHead, denials.map(denialRow), most, more.denials),
    ...section('would be denied', denialHead, wouldBe.map(denialRow), most, more.wouldBe),
    ...(suggested
      ? ['', 'these entries of egress.allow would cover what would be denied:', '', suggested.trimEnd()]
      : []),
    ...section(
      'allow entries that nothing used',
      ['entry', 'asked for by', 'until', 'comment'],
      unused.map(one => [
        visible(one.rule),
        visible(one.requestedBy ?? '-'),
        one.expires ?? '-',
        visible(one.comment ?? '-', 60),
      ]),
      most,
      { keys: 0, requests: 0 },
    ),
  ]
}

const denialHead = ['destination', 'method', 'rule', 'client', 'requests', 'last seen']

const denialRow = (it: Denial): string[] => [
  placeText(it),
  visible(it.method, 20),
  visible(it.rule),
  it.from ? `${visible(it.client)} ${visible(it.from)}` : visible(it.client),
  countText(it.requests),
  shortTime(it.lastSeen),
]

const section = (title: string, head: string[], rows: string[][], most: number, folded: Folded): string[] => {
  if (rows.length === 0) return []
  const left = rows.length - most + folded.keys
  return [
    '',
    title,
    table(head, rows.slice(0, most)),
    ...(rows.length > most || folded.keys > 0 ? [`and ${countText(left)} more: --format json lists them`] : []),
  ]
}

export const placeText = ({ host, port }: { host: string; port: number | null }): string =>
  `${visible(host.includes(':') ? `[${host}]` : host, 64)}${port === null ? '' : `:${port}`}`

/** To the second, UTC. */
export const shortTime = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`
