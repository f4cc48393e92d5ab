type Target = [expr: string, legend: string]
type Panel = {
  title: string
  type: 'stat' | 'timeseries' | 'table'
  unit?: string
  width: number
  height?: number
  targets: Target[]
  about?: string
  thresholds?: [number | null, string][]
  stack?: boolean
}

/** A Grafana dashboard (schema 38, Grafana 10 and later) of one context: variables choose tenants and proxies. */
export const dashboardOf = (context: string) => ({
  uid: `kapsule-egress-${context}`.slice(0, 40),
  title: `Egress: ${context}`,
  tags: ['kapsule-egress'],
  timezone: 'utc',
  schemaVersion: 38,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [
      { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
      variable('tenant', `label_values(egress_policy_rules{context="${context}"}, tenant)`),
      variable('proxy', `label_values(egress_helper_up{context="${context}"}, proxy)`),
    ],
  },
  panels: placed(panelsOf(context)),
})

const source = { type: 'prometheus', uid: '${source}' }

const variable = (name: string, query: string) => ({
  ...{ name, label: name, type: 'query', datasource: source, query: { query, refId: name } },
  ...{ refresh: 2, sort: 1, multi: true, includeAll: true, current: { text: 'All', value: '$__all' } },
})

const panelsOf = (context: string): Panel[] => {
  const proxy = `context="${context}",proxy=~"$proxy"`
  const tenant = `${proxy},tenant=~"$tenant"`
  const up: Panel['thresholds'] = [
    [null, 'red'],
    [1, 'green'],
  ]
  return [
    {
      title: 'Squid',
      type: 'stat',
      width: 4,
      targets: [[`min by (proxy) (egress_squid_up{${proxy}})`, '{{proxy}}']],
      thresholds: up,
    },
    {
      title: 'Policy helper',
      type: 'stat',
      width: 4,
      targets: [[`egress_helper_up{${proxy}}`, '{{proxy}}']],
      thresholds: up,
    },
    {
      title: 'Policy in force',
      type: 'stat',
      width: 4,
      targets: [[`min by (tenant) (egress_policy_in_force{${tenant}})`, '{{tenant}}']],
      thresholds: up,
    },
    {
      ...{ title: 'Policies of a tenant', type: 'stat', width: 4, about: 'More than one: its proxies differ.' },
      targets: [[`count by (tenant) (count by (tenant, hash) (egress_policy_info{${tenant}}))`, '{{tenant}}']],
      thresholds: [
        [null, 'green'],
        [2, 'red'],
      ],
    },
    {
      ...{
        title: 'Disk free',
        type: 'stat',
        width: 4,
        unit: 'percentunit',
        about: 'Of the disk with the audit log: a full disk ends Squid.',
      },
      targets: [[`egress_log_disk_free_bytes{${proxy}} / egress_log_disk_size_bytes{${proxy}}`, '{{proxy}}']],
      thresholds: [
        [null, 'red'],
        [0.1, 'orange'],
        [0.25, 'green'],
      ],
    },
    {
      ...{ title: 'Days until an entry ends', type: 'stat', width: 4, unit: 'd' },
      targets: [[`(min by (tenant) (egress_rule_expiry_date_seconds{${tenant}}) - time()) / 86400`, '{{tenant}}']],
      thresholds: [
        [null, 'red'],
        [14, 'green'],
      ],
    },
    {
      ...{ title: 'Decisions', type: 'timeseries', width: 12, unit: 'reqps', stack: true },
      targets: [
        [
          `sum by (tenant, verdict) (rate(egress_requests_total{${tenant}}[$__rate_interval]))`,
          '{{tenant}} {{verdict}}',
        ],
      ],
    },
    {
      ...{ title: 'Denials by reason', type: 'timeseries', width: 12, unit: 'reqps', stack: true },
      targets: [
        [`sum by (tenant, reason) (rate(egress_denials_total{${tenant}}[$__rate_interval]))`, '{{tenant}} {{reason}}'],
      ],
    },
    {
      ...{
        title: 'Bytes',
        type: 'timeseries',
        width: 12,
        unit: 'Bps',
        about: 'Counted when a request or tunnel ends.',
      },
      targets: [
        [
          `sum by (tenant, direction) (rate(egress_bytes_total{${tenant}}[$__rate_interval]))`,
          '{{tenant}} {{direction}}',
        ],
      ],
    },
    {
      ...{ title: 'Strangers', type: 'timeseries', width: 12, unit: 'reqps', about: 'Who asks and is no tenant.' },
      targets: [
        [`sum by (proxy) (rate(egress_denials_total{${proxy},reason="client"}[$__rate_interval]))`, '{{proxy}}'],
      ],
    },
    {
      ...{ title: "Squid's requests and errors", type: 'timeseries', width: 12, unit: 'reqps' },
      targets: [
        [`sum by (proxy) (rate(squid_client_http_requests_total{${proxy}}[$__rate_interval]))`, '{{proxy}} requests'],
        [`sum by (proxy) (rate(squid_client_http_errors_total{${proxy}}[$__rate_interval]))`, '{{proxy}} errors'],
      ],
    },
    {
      ...{ title: 'CPU and memory', type: 'timeseries', width: 12, unit: 'percentunit' },
      targets: [
        [`1 - avg by (proxy) (rate(node_cpu_seconds_total{${proxy},mode="idle"}[$__rate_interval]))`, '{{proxy}} CPU'],
        [`1 - node_memory_MemAvailable_bytes{${proxy}} / node_memory_MemTotal_bytes{${proxy}}`, '{{proxy}} memory'],
      ],
    },
    {
      ...{ title: 'Audit log', type: 'timeseries', width: 12, unit: 'bytes' },
      targets: [
        [`egress_audit_log_bytes{${proxy}}`, '{{proxy}} size'],
        [`egress_audit_unread_bytes{${proxy}}`, '{{proxy}} not counted yet'],
      ],
    },
    {
      ...{ title: 'Policies', type: 'table', width: 12 },
      targets: [
        [
          `egress_policy_revision{${tenant}} * on (context, proxy, tenant) group_left (hash, mode) egress_policy_info{${tenant}}`,
          '',
        ],
      ],
    },
  ]
}

/** Panels beside each other, in rows of 24 columns. */
const placed = (panels: Panel[]) => {
  let [x, y, below] = [0, 0, 0]
  return panels.map((panel, n) => {
    const height = panel.height ?? (panel.type === 'stat' ? 4 : 8)
    if (x + panel.width > 24) [x, y, below] = [0, y + below, 0]
    const gridPos = { x, y, w: panel.width, h: height }
    x += panel.width
    below = Math.max(below, height)
    return drawn(panel, n + 1, gridPos)
  })
}

const drawn = ({ title, type, unit, targets, about, thresholds, stack }: Panel, id: number, gridPos: object) => ({
  ...{ id, title, type, gridPos, datasource: source, ...(about && { description: about }) },
  fieldConfig: {
    defaults: {
      ...(unit && { unit }),
      min: 0,
      ...(thresholds && {
        thresholds: { mode: 'absolute', steps: thresholds.map(([value, color]) => ({ value, color })) },
      }),
      ...(stack && { custom: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 20 } }),
    },
    overrides: [],
  },
  options:
    type === 'stat'
      ? {
          reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
          colorMode: 'background',
          textMode: 'value_and_name',
        }
      : type === 'table'
        ? { showHeader: true }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: targets.map(([expr, legendFormat], n) => ({
    ...{ refId: String.fromCharCode(65 + n), datasource: source, expr, legendFormat },
    ...(type === 'table' && { format: 'table', instant: true }),
  })),
})
