import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { alertsOf } from '../../src/report/alerts.ts'
import { dashboardOf } from '../../src/report/dashboard.ts'
import { makeCheckout } from '../support/checkout.ts'
import { fetchDebs, unpackDebs } from '../support/debs.ts'
import { metricsOf, watched } from '../support/metrics.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('what Prometheus and Grafana read')
const { directory, start } = makeCheckout()
const out = mkdtempSync(join(tmpdir(), 'egress-monitoring-'))
after(() => {
  for (const it of [directory, out]) rmSync(it, { recursive: true, force: true })
})

const promtool = (): string | null => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return 'promtool'
  } catch {
    const debs = fetchDebs('prometheus')
    if (typeof debs !== 'string') return join(unpackDebs(debs), 'usr/bin/promtool')
    console.log(`skipped, promtool (Debian package prometheus): ${debs}`)
    return null
  }
}
const tool = promtool()
const check = (...args: string[]) => {
  try {
    return execFileSync(tool!, args, { cwd: out, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`)
  }
}

const rules = 'kapsule-egress-sandbox.rules.yml'

test('without monitoring in the inventory it says what to write', async () => {
  const { exitCode, stderr } = await start('monitoring.mjs', ['--render', out])
  assert.is(exitCode, 2)
  assert.match(stderr, /monitoring: \{ allow:/)
})

test('all of it is written, with every proxy as a target', async () => {
  const file = join(directory, 'inventory/sandbox/context.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^context: sandbox$/m, 'context: sandbox\nmonitoring: { allow: [172.16.28.64/26] }'))
  const { exitCode, stdout, stderr } = await start('monitoring.mjs', ['--render', out])
  assert.is(exitCode, 0, stderr)
  assert.is(stdout.trim().split('\n').length, 3)
  const { scrape_configs: jobs, rule_files: files } = parse(readFileSync(join(out, 'prometheus.yml'), 'utf8'))
  assert.equal(files, [rules])
  const proxies = parse(readFileSync(join(directory, 'inventory/sandbox/tenants/client-a.yaml'), 'utf8')).egress.proxy
  for (const [job, port] of [
    ['kapsule-egress-node', 9100],
    ['kapsule-egress-squid', 9301],
  ]) {
    const found = jobs.find((it: { job_name: string }) => it.job_name === job)
    const mine = found.static_configs.find((it: { labels: { proxy: string } }) => it.labels.proxy === proxies.name)
    assert.equal(mine.targets, [`${proxies.privateIp}:${port}`])
  }
  const dashboard = JSON.parse(readFileSync(join(out, 'kapsule-egress-sandbox.dashboard.json'), 'utf8'))
  assert.equal(dashboard, JSON.parse(JSON.stringify(dashboardOf('sandbox'))))
})

test('alerts and panels ask for metrics that the watch writes', () => {
  const panels = dashboardOf('sandbox').panels.flatMap(it => it.targets.map(({ expr }) => expr))
  const asked = metricsOf([...panels, ...alertsOf('sandbox').map(it => it.expr)])
  const known = watched()
  assert.ok(asked.size > 15)
  assert.equal(
    [...asked].filter(it => it.startsWith('egress_') && !known.has(it)),
    [],
  )
})

test('panels lie beside each other, none over another', () => {
  const cells = new Set<string>()
  for (const { gridPos } of dashboardOf('sandbox').panels) {
    const { x, y, w, h } = gridPos as { x: number; y: number; w: number; h: number }
    assert.ok(x + w <= 24)
    for (let n = 0; n < w * h; n++) {
      const cell = `${x + (n % w)},${y + Math.floor(n / w)}`
      assert.not(cells.has(cell), cell)
      cells.add(cell)
    }
  }
})

if (tool) {
  test('promtool takes the configuration, the rules, and every expression of the dashboard', () => {
    check('check', 'config', 'prometheus.yml')
    check('check', 'rules', '--lint-fatal', rules)
    const exprs = dashboardOf('sandbox').panels.flatMap(it => it.targets.map(({ expr }) => expr))
    const recorded = exprs.map((expr, n) => ({
      record: `panel:${n}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(tenant|proxy)/g, '.*'),
    }))
    writeFileSync(join(out, 'panels.yml'), stringify({ groups: [{ name: 'panels', rules: recorded }] }))
    check('check', 'rules', 'panels.yml')
  })

  const p = 'context="sandbox",proxy="p1"'
  const q = 'context="sandbox",proxy="p2"'
  const t = 'tenant="client-a"'
  for (const [alert, at, series, fires] of [
    [
      'EgressProxyDown',
      '5m',
      { [`up{job="kapsule-egress-node",${p}}`]: '0x30', [`up{job="kapsule-egress-node",${q}}`]: '1x30' },
      1,
    ],
    [
      'EgressSquidDown',
      '5m',
      { [`egress_squid_up{${p},port="3128"}`]: '0x30', [`egress_squid_up{${q},port="3128"}`]: '1x30' },
      1,
    ],
    ['EgressHelperDown', '5m', { [`egress_helper_up{${p}}`]: '0x30' }, 1],
    ['EgressWatchStale', '20m', { [`node_textfile_mtime_seconds{${p},file="/x/egress.prom"}`]: '60x200' }, 1],
    [
      ...['EgressPolicyDiffers', '10m'],
      { [`egress_policy_info{${p},${t},hash="aa"}`]: '1x60', [`egress_policy_info{${q},${t},hash="bb"}`]: '1x60' },
      1,
    ],
    [
      ...['EgressPolicyDiffers', '10m'],
      { [`egress_policy_info{${p},${t},hash="aa"}`]: '1x60', [`egress_policy_info{${q},${t},hash="aa"}`]: '1x60' },
      0,
    ],
    ['EgressPolicyNotInForce', '5m', { [`egress_policy_in_force{${p},${t}}`]: '0x30' }, 1],
    ['EgressDenialsSurge', '26h', { [`egress_requests_total{${p},${t},verdict="denied"}`]: '0+1x1500 1500+600x60' }, 1],
    ['EgressDenialsSurge', '25h', { [`egress_requests_total{${p},${t},verdict="denied"}`]: '0+120x1500' }, 0],
    ['EgressReachesInside', '10m', { [`egress_denials_total{${p},${t},reason="inner"}`]: '0x5 1x30' }, 1],
    ['EgressStrangers', '15m', { [`egress_denials_total{${p},tenant="-",reason="client"}`]: '0+5x30' }, 1],
    [
      ...['EgressDiskNearlyFull', '10m'],
      { [`egress_log_disk_free_bytes{${p}}`]: '5x60', [`egress_log_disk_size_bytes{${p}}`]: '100x60' },
      1,
    ],
    ['EgressDiskFullSoon', '7h', { [`egress_log_disk_free_bytes{${p}}`]: '100000-100x600' }, 1],
    [
      ...['EgressAuditLogNotGrowing', '30m'],
      { [`egress_audit_lines_total{${p}}`]: '7x60', [`up{job="kapsule-egress-squid",${p}}`]: '1x60' },
      1,
    ],
    [
      ...['EgressAuditLogNotGrowing', '30m'],
      { [`egress_audit_lines_total{${p}}`]: '7+4x60', [`up{job="kapsule-egress-squid",${p}}`]: '1x60' },
      0,
    ],
    ['EgressAuditLogOdd', '10m', { [`egress_audit_odd_lines_total{${p}}`]: '0x5 1x30' }, 1],
    [
      ...['EgressEntryExpiresSoon', '1m'],
      {
        [`egress_rule_expiry_date_seconds{${p},${t},rule="allow:a"}`]: '864000x10',
        [`egress_rule_expiry_date_seconds{${q},${t},rule="allow:a"}`]: '864000x10',
        [`egress_rule_expiry_date_seconds{${p},${t},rule="allow:b"}`]: '8640000x10',
      },
      1,
    ],
  ] as [string, string, Record<string, string>, number][])
    test(`${alert} ${fires ? 'fires' : 'is silent'}: ${Object.values(series).join(' ')}`, () => {
      const folder = join(out, 'fires')
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'test.yml')
      const { says, next, severity, expr } = alertsOf('sandbox').find(it => it.alert === alert)!
      // The number of alerts, without repeating what they say.
      const asked = [
        {
          eval_time: at,
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
          exp_samples: fires ? [{ labels: '{}', value: fires }] : [],
        },
      ]
      assert.ok(says && next && severity && expr)
      const tests = [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([it, values]) => ({ series: it, values })),
          promql_expr_test: asked,
        },
      ]
      writeFileSync(file, stringify({ rule_files: [join(out, rules)], evaluation_interval: '1m', tests }))
      check('test', 'rules', file)
    })
}
