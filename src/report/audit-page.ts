import type { Denial, Destination, Report, Source, TenantReport } from '../policy/report.ts'
import type { Folded } from '../policy/tally.ts'
import { placeText, shortTime } from './audit-table.ts'
import { barChart, timeChart } from './charts.ts'
import { html, type Markup } from './markup.ts'
import { pageStyle } from './page-style.ts'
import { bytesText, countText } from './visible.ts'

/** How many lines of a list a page shows. */
const most = 100

/** The report as one page that needs nothing else: no script, no font, no image, nothing from outside. */
export const auditPage = (report: Report): string => {
  const { context, since, until, sources, tenants, totals } = report
  const lacks = sources.filter(it => it.problem !== null)
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Egress of ${context}, ${shortTime(since)} to ${shortTime(until)}</title>
<style>${pageStyle}</style></head><body>
<header><h1>Egress of ${context}</h1><p>${shortTime(since)} to ${shortTime(until)} UTC</p></header>
<main>
${lacks.map(it => html`<p class="warning" role="alert"><strong>Not whole:</strong> ${it.problem ?? ''}</p>`)}
<section aria-label="Totals"><dl class="totals">${totalsOf(totals)}</dl></section>
${tenants.length > 1 ? html`<nav aria-label="Tenants"><ul>${tenants.map((it, at) => html`<li><a href="#t${at}">${titleOf(it.tenant)}</a></li>`)}</ul></nav>` : ''}
${tenants.map(tenantOf)}
<section><h2>Where this comes from</h2>
${rows('Logs', ['proxy', '#lines', '#not of the form', 'problem'], sources.map(sourceRow))}</section>
</main></body></html>`.text
}

const totalsOf = (it: TenantReport['totals']): Markup[] =>
  [
    ['requests', countText(it.requests)],
    ['allowed', countText(it.allowed)],
    ['denied', countText(it.denied)],
    ['would be denied', countText(it.wouldDeny)],
    ['tunnels', countText(it.tunnels)],
    ['sent', bytesText(it.bytesIn)],
    ['received', bytesText(it.bytesOut)],
  ].map(([name, value]) => html`<div><dt>${name!}</dt><dd>${value!}</dd></div>`)

const tenantOf = (it: TenantReport, at: number): Markup => {
  const { tenant, mode, revisions, destinations, denials, wouldBe, suggested, unused, more } = it
  const traffic = [...destinations].sort((a, b) => b.bytesIn + b.bytesOut - a.bytesIn - a.bytesOut)
  const place = (one: Destination) => placeText(one)
  return html`<section id="t${at}" class="tenant"><h2>${titleOf(tenant)}${mode ? html` <small>${mode}</small>` : ''}</h2>
${revisions.length > 0 ? html`<p>Policy revisions in force: ${revisions.slice(-5).join(', ')}</p>` : ''}
<dl class="totals">${totalsOf(it.totals)}</dl>
${it.totals.requests > 0 ? timeChart(`c${at}`, it.slices) : html`<p>No requests.</p>`}
${
  destinations.length > 0
    ? html`<h3>Top destinations</h3>
${barChart(
  `r${at}`,
  'Requests by destination',
  destinations.slice(0, 12).map(one => ({ name: place(one), value: one.requests, text: countText(one.requests) })),
)}
<h3>Traffic</h3>
${barChart(
  `b${at}`,
  'Bytes by destination',
  traffic.slice(0, 12).map(one => ({
    name: place(one),
    value: one.bytesIn + one.bytesOut,
    text: bytesText(one.bytesIn + one.bytesOut),
  })),
)}
${rows(
  'All destinations',
  ['destination', '#requests', '#allowed', '#denied', '#would be', '#tunnels', '#sent', '#received', 'last seen'],
  destinations.map(one => [
    ...[place(one), countText(one.requests), countText(one.allowed), countText(one.denied), countText(one.wouldDeny)],
    ...[countText(one.tunnels), bytesText(one.bytesIn), bytesText(one.bytesOut), shortTime(one.lastSeen)],
  ]),
  more.destinations,
)}`
    : ''
}
${denials.length > 0 ? rows('Denied', denialHead, denials.map(denialRow), more.denials) : ''}
${wouldBe.length > 0 ? rows('Would be denied in enforce mode', denialHead, wouldBe.map(denialRow), more.wouldBe) : ''}
${suggested ? html`<h3>Entries that would cover what would be denied</h3><pre tabindex="0">${lines(suggested)}</pre>` : ''}
${
  unused.length > 0
    ? rows(
        'Allow entries that nothing used',
        ['entry', 'asked for by', 'until', 'comment'],
        unused.map(one => [one.rule, one.requestedBy ?? '-', one.expires ?? '-', one.comment ?? '-']),
      )
    : ''
}</section>`
}

const titleOf = (tenant: string) => (tenant === '-' ? 'no tenant' : tenant)

const denialHead = ['destination', 'method', 'rule', 'client', '#requests', 'last seen']

const denialRow = (it: Denial): string[] => [
  ...[placeText(it), it.method, it.rule, it.from ? `${it.client} ${it.from}` : it.client],
  ...[countText(it.requests), shortTime(it.lastSeen)],
]

const sourceRow = ({ proxy, lines, unparsable, problem }: Source): string[] => [
  ...[proxy, countText(lines), countText(unparsable), problem ?? '-'],
]

/** A column whose name begins with # has numbers. */
const rows = (title: string, head: readonly string[], all: readonly string[][], folded?: Folded): Markup => {
  const left = Math.max(0, all.length - most) + (folded?.keys ?? 0)
  const side = (at: number) => (head[at]?.startsWith('#') ? 'number' : 'word')
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><caption>${title}</caption>
<thead><tr>${head.map((it, at) => html`<th scope="col" class="${side(at)}">${it.replace(/^#/, '')}</th>`)}</tr></thead>
<tbody>${all.slice(0, most).map(row => html`<tr>${row.map((cell, at) => html`<td class="${side(at)}">${cell}</td>`)}</tr>`)}</tbody></table></div>
${left > 0 ? html`<p>and ${countText(left)} more: report.mjs --format json lists them</p>` : ''}`
}

/** Line breaks of ours stay: each line is text for itself. */
const lines = (text: string): Markup[] =>
  text
    .trimEnd()
    .split('\n')
    .map(it => html`${it}${newline}`)
const newline = html`
`
