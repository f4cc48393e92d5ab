/** What Prometheus should wake somebody for: name, severity, what must hold for how long, and what to do. */
export type Alert = {
  alert: string
  severity: 'critical' | 'warning' | 'info'
  expr: string
  for: string
  says: string
  next: string
}

/** `context`: alerts are about its proxies alone, so that several contexts fit into one Prometheus. */
export const alertsOf = (context: string): Alert[] => {
  const here = `context="${context}"`
  const denied = (range: string) =>
    `sum by (context, tenant) (rate(egress_requests_total{${here},verdict="denied"}[${range}]))`
  return [
    {
      ...{ alert: 'EgressProxyDown', severity: 'critical', for: '2m' },
      expr: `up{job="kapsule-egress-node",${here}} == 0`,
      says: 'proxy {{ $labels.proxy }} does not answer',
      next: 'status.mjs says what stands; with several proxies a tenant goes on by the others',
    },
    {
      ...{ alert: 'EgressSquidDown', severity: 'critical', for: '1m' },
      expr: `egress_squid_up{${here}} == 0`,
      says: 'Squid on {{ $labels.proxy }} takes no connections on port {{ $labels.port }}',
      next: 'read /var/log/squid/cache.log there; 40-configure.mjs starts it',
    },
    {
      ...{ alert: 'EgressHelperDown', severity: 'critical', for: '1m' },
      expr: `egress_helper_up{${here}} == 0`,
      says: 'nothing decides by the policies on {{ $labels.proxy }}: everything is denied',
      next: 'read /var/log/squid/cache.log there',
    },
    {
      ...{ alert: 'EgressWatchStale', severity: 'warning', for: '2m' },
      expr: `time() - node_textfile_mtime_seconds{${here},file=~".*egress.prom"} > 120`,
      says: 'the watch on {{ $labels.proxy }} writes no metrics: the other alerts about it are blind',
      next: 'service kapsule-egress-watch status there',
    },
    {
      ...{ alert: 'EgressPolicyDiffers', severity: 'warning', for: '5m' },
      expr: `count by (context, tenant) (count by (context, tenant, hash) (egress_policy_info{${here}})) > 1`,
      says: 'the proxies of {{ $labels.tenant }} decide by different policies',
      next: '40-configure.mjs --check --diff says which is not as the inventory says',
    },
    {
      ...{ alert: 'EgressPolicyNotInForce', severity: 'warning', for: '2m' },
      expr: `egress_policy_in_force{${here}} == 0 or egress_policy_refused{${here}} == 1`,
      says: 'the policy of {{ $labels.tenant }} that is installed on {{ $labels.proxy }} is not the one in force',
      next: 'policy.mjs lists revisions; cache.log on the proxy says why the helper refused it',
    },
    {
      ...{ alert: 'EgressDenialsSurge', severity: 'warning', for: '5m' },
      expr: `${denied('5m')} > 1 and ${denied('5m')} > 5 * ${denied('1d')}`,
      says: '{{ $labels.tenant }} is denied {{ $value | printf "%.1f" }} requests a second, five times as many as usual',
      next: 'report.mjs --since 1h --tenant NAME says what is asked for, and by which nodes',
    },
    {
      ...{ alert: 'EgressReachesInside', severity: 'warning', for: '0m' },
      expr: `sum by (context, tenant) (increase(egress_denials_total{${here},reason="inner"}[15m])) > 0`,
      says: 'a pod of {{ $labels.tenant }} asked for a name that leads inside, or for an inner address',
      next: 'report.mjs --since 1h --tenant NAME: denials by rule inner',
    },
    {
      ...{ alert: 'EgressStrangers', severity: 'warning', for: '5m' },
      expr: `sum by (context, proxy) (rate(egress_denials_total{${here},reason="client"}[5m])) > 0`,
      says: 'somebody who is no tenant asks {{ $labels.proxy }}',
      next: 'the audit log has their addresses: denials by rule client; new nodes of a shared proxy need 40-configure.mjs, status.mjs names them',
    },
    {
      ...{ alert: 'EgressDiskNearlyFull', severity: 'critical', for: '5m' },
      expr: `egress_log_disk_free_bytes{${here}} / egress_log_disk_size_bytes{${here}} < 0.1`,
      says: 'less than a tenth of the disk of {{ $labels.proxy }} is free; a full disk ends Squid',
      next: 'ship old audit logs away, or keep fewer days: audit in context.yaml',
    },
    {
      ...{ alert: 'EgressDiskFullSoon', severity: 'warning', for: '30m' },
      expr: `predict_linear(egress_log_disk_free_bytes{${here}}[6h], 2 * 86400) < 0`,
      says: 'as it goes on, the disk of {{ $labels.proxy }} is full within two days; a full disk ends Squid',
      next: 'report.mjs says who asks for so much; keep fewer days: audit in context.yaml',
    },
    {
      // Each scrape of Squid's exporter is a line of the log by itself.
      ...{ alert: 'EgressAuditLogNotGrowing', severity: 'critical', for: '5m' },
      expr: `increase(egress_audit_lines_total{${here}}[10m]) == 0 and on (context, proxy) up{job="kapsule-egress-squid",${here}} == 1`,
      says: 'Squid on {{ $labels.proxy }} works and writes no audit log',
      next: 'look at /var/log/squid/audit.log there: rights, links, the disk',
    },
    {
      ...{ alert: 'EgressAuditLogOdd', severity: 'warning', for: '0m' },
      expr: `increase(egress_audit_odd_lines_total{${here}}[10m]) > 0`,
      says: 'the audit log of {{ $labels.proxy }} has lines that are no decision',
      next: 'somebody else writes to /var/log/squid/audit.log, or its format was changed',
    },
    {
      ...{ alert: 'EgressEntryExpiresSoon', severity: 'info', for: '0m' },
      expr: `min by (context, tenant, rule) (egress_rule_expiry_date_seconds{${here}}) - time() < 14 * 86400`,
      says: '{{ $labels.rule }} of {{ $labels.tenant }} ends in {{ $value | humanizeDuration }}',
      next: 'ask who asked for it (requestedBy); write a later date, or take the entry out',
    },
  ]
}

/** As Prometheus reads rules, a group for the context. */
export const rulesOf = (context: string) => ({
  groups: [
    {
      name: `kapsule-egress-${context}`,
      rules: alertsOf(context).map(({ alert, severity, expr, for: held, says, next }) => ({
        ...{ alert, expr, for: held },
        labels: { severity },
        annotations: { summary: says, action: next },
      })),
    },
  ],
})
