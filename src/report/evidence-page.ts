import type { Evidence, EvidenceSample, Finding } from './evidence.ts'
import { html, Markup } from './markup.ts'
import { pageStyle } from './page-style.ts'

const said = { holds: 'holds', fails: 'does not hold', unclear: 'unclear' } as const

/** The evidence as one page that needs nothing else and prints on paper. `sha256`: of the JSON file beside it. */
export const evidencePage = (it: Evidence, sha256: string): string => {
  const { tenant, context, verdict, counts, began, ended, madeBy, inventory, policy, asked } = it
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Egress evidence: ${tenant}, ${began}</title>
<style>${pageStyle}${ownStyle}</style></head><body>
<header><h1>Egress evidence: ${tenant}</h1><p>context ${context}, ${shown(began)} to ${shown(ended)} UTC</p></header>
<main>
<p class="outcome ${new Markup(verdict)}" role="status"><strong>${said[verdict]}</strong>
<span>${counts.asked} questions: ${counts.hold} hold, ${counts.fail} do not, ${counts.unclear} unclear</span></p>
${wrongOf(it)}
<section><h2>What this is</h2>
<p>These questions were asked from inside a running pod of the tenant, and by its proxies about themselves. Each line says
what was expected before it was asked, and what was seen. Refusals were looked up in the proxies' audit logs too.</p>
${facts([
  ['made by', `${madeBy.user} on ${madeBy.host}`],
  ['with', `${madeBy.software}, Node.js ${madeBy.node}: ${madeBy.command}`],
  ['asked from', `pod ${asked.namespace}/${asked.pod} of ${asked.workload}, on node ${asked.node}`],
  ['policy', `${policy.mode}, ${policy.rules} rules, sha256 ${policy.sha256}`],
  ['inventory', `sha256 ${inventory.sha256}`],
  ['this report', `sha256 of the JSON file beside it: ${sha256}`],
])}</section>
<section><h2>Addresses</h2>
${table(
  'How the world sees the tenant',
  ['verdict', 'asked', 'by', 'expected', 'seen'],
  it.addresses.map(one => [
    mark(one),
    one.service,
    one.by,
    one.expected.join(' or '),
    told(one.seen ?? 'no address', one),
  ]),
)}</section>
<section><h2>Destinations</h2>
${[...Map.groupBy(it.samples, one => one.kind)].map(([kind, all]) => table(title(kind, all), ['verdict', 'asked', 'expected', 'seen', 'in the audit log'], all.map(sampleRow)))}</section>
<section><h2>Proxies</h2>
${it.proxies.map(
  one =>
    html`<h3>${one.name} ${mark(one)}</h3>${
      one.facts
        ? facts([
            ['fixed address', one.fixedAddress],
            [
              'policy revision',
              `${one.facts.revision}${one.facts.inForce === one.facts.revision ? ', in force' : `; in force: ${one.facts.inForce}`}`,
            ],
            [
              'software',
              `Squid ${one.facts.squid}, ufw ${one.facts.ufw} (${one.facts.firewall}), ${one.facts.system}, ${one.facts.kernel}`,
            ],
            ['its clock', shown(one.facts.time)],
            ['sha256 of', ''],
            ['policy', one.facts.policy],
            ['squid.conf', one.facts.squidConf],
            ['firewall rules', one.facts.ufwRules],
            ['policy helper', one.facts.helper],
            ...(one.why ? [['note', one.why] as [string, string]] : []),
          ])
        : html`<p>${one.why}</p>`
    }`,
)}</section>
<section><h2>Namespaces</h2>
<p>Nothing in them may be what goes round a network policy or changes a node: its node's network or a DaemonSet for egress,
privileged containers, NET_ADMIN, files of the node that are written, the cluster's own traffic by the proxy, an open proxy.</p>
${table(
  'What is in them',
  ['verdict', 'namespace', 'found'],
  it.namespaces.map(one => [mark(one), one.namespace, one.why || 'nothing that must not be']),
)}</section>
<section><h2>Inventory</h2>
${table(
  'Files this was made from',
  ['file', 'sha256'],
  inventory.files.map(one => [one.file, html`<code>${one.sha256}</code>`]),
)}</section>
</main></body></html>`.text
}

/** What a reader looks for first. */
const wrongOf = ({ proxies, addresses, samples, namespaces }: Evidence): Markup => {
  const all = [
    ...proxies.map(it => ({ ...it, of: it.name })),
    ...addresses.map(it => ({ ...it, of: `${it.service} (${it.by})` })),
    ...samples.map(it => ({ ...it, of: `${it.method} ${it.url}` })),
    ...namespaces.map(it => ({ ...it, of: `namespace ${it.namespace}` })),
  ].filter(it => it.verdict !== 'holds')
  if (all.length === 0) return html``
  return html`<ul class="wrong">${all.map(it => html`<li>${mark(it)} ${it.of}: ${it.why}</li>`)}</ul>`
}

const title = (kind: string, all: EvidenceSample[]) =>
  `${kind[0]!.toUpperCase()}${kind.slice(1)}${all.every(it => it.because === all[0]!.because) ? `: ${all[0]!.because}` : ''}`

const sampleRow = (it: EvidenceSample) => [
  mark(it),
  html`<code>${it.method === 'GET' ? '' : `${it.method} `}${it.url}</code>`,
  it.expected,
  told(it.seen, it),
  it.logged
    ? html`${it.logged.verdict} by <code>${it.logged.rule}</code><br><small>revision ${it.logged.revision}</small>`
    : '-',
]

const told = (seen: string, { why, verdict }: Finding): Markup =>
  verdict === 'holds' || !why ? html`${seen}` : html`${seen}<br><strong>${why}</strong>`

const mark = ({ verdict }: Finding): Markup => html`<span class="mark ${new Markup(verdict)}">${said[verdict]}</span>`

const shown = (time: string) => time.replace('T', ' ').replace(/\.\d+Z$|Z$/, '')

const facts = (all: [string, string][]): Markup =>
  html`<div class="scroll"><table class="facts"><tbody>${all.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>`

/** Tables of questions have the same columns, one below the other. */
const table = (caption: string, heads: string[], rows: (string | Markup)[][]): Markup =>
  html`<div class="scroll"><table${heads.length === 5 ? new Markup(' class="asked"') : ''}><caption>${caption}</caption><thead><tr>${heads.map(it => html`<th scope="col">${it}</th>`)}</tr></thead>
<tbody>${rows.map(row => html`<tr>${row.map(it => html`<td>${it}</td>`)}</tr>`)}</tbody></table></div>`

const ownStyle = new Markup(`
.outcome { display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem 1.5rem; padding: 1rem 1.25rem; border-radius: .5rem;
  background: var(--card); border-left: .5rem solid var(--dim); } .outcome strong { font-size: 1.5rem; }
.outcome.holds, .mark.holds { border-color: #1c7c48; } .outcome.fails, .mark.fails { border-color: var(--denied); }
.outcome.unclear, .mark.unclear { border-color: var(--would); }
.mark { border-left: .35rem solid; padding-left: .5rem; white-space: nowrap; font-weight: 600; font-size: .95em; }
.facts th { width: 10rem; font-weight: normal; } td:first-child { min-width: 8rem; } code { font-size: .95em; }
.asked { table-layout: fixed; min-width: 40rem; } .asked th:nth-child(1) { width: 9.5em; } .asked th:nth-child(3) { width: 9em; }
.asked th:nth-child(2) { width: 30%; } .facts td:first-child { min-width: 0; }
.wrong { list-style: none; padding: 0; } .wrong li { margin: .35rem 0; } .wrong .mark { margin-right: .5rem; }
h3 .mark { font-weight: normal; margin-left: .5rem; }
@media print { .outcome, .mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2, h3, caption { break-after: avoid; }
  .asked { min-width: 0; break-inside: avoid; } }
`)
