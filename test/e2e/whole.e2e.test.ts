import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as assert from 'uvu/assert'
import type { GateResult } from '../../src/cli/rollout/gates.ts'
import { readJournals } from '../../src/engine/journal.ts'
import type { Revision } from '../../src/hosts/revisions.ts'
import type { Evidence } from '../../src/report/evidence.ts'
import { policyHolds } from '../../src/rollout/gates/policy-holds.ts'
import { PROBE_LABEL } from '../../src/rollout/probe-pod.ts'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { looksAt, namespaces, ok, type Summary, summaryOf } from './looks.ts'

const { test, after } = suite('the whole job, on real parts', { seconds: 230 })
const checkout = makeCheckout()
const { run, state } = checkout

const { kube, objects, inPod, owned, calls, forgetCalls } = looksAt(checkout)

let table: string[][]
let start: Awaited<ReturnType<typeof objects>>
let resources: string[]
let outputs: Summary['outputs']

after(() => checkout.remove())

test('the first deploy of an empty project moves both tenants to their own address and proves it', async () => {
  assert.not(existsSync(state), 'no journal')
  const it = await run('deploy.mjs')
  ok(it)
  const rows = it.stdout.split('\n').filter(line => /^client-[ab] /.test(line))
  table = rows.map(line => line.trim().split(/ {2,}/))
  resources = await owned()
  assert.is(new Set(resources).size, resources.length, 'no two resources of one name')
})

test('before a workload moved, a pod of ours showed in both tenants what the label does, and none is left', async () => {
  const history = readJournals(state)
  const asked = history.flatMap((it, at) =>
    it.event === 'note' && it.topic === 'gate' ? [{ ...(it.data as unknown as GateResult), at }] : [],
  )
  const tried = asked.filter(it => it.gate === policyHolds.name)
  assert.equal(tried.map(({ tenant, workload, verdict }) => `${tenant}/${workload} ${verdict.verdict}`).sort(), [
    'client-a/curl-demo pass',
    'client-b/curl-demo pass',
  ])
  const moved = history.findIndex(it => it.event === 'started' && it.kind === 'workload-egress')
  const made = history.findIndex(
    it => it.event === 'note' && it.topic === 'probe-pod' && JSON.stringify(it.data).includes('-moved'),
  )
  assert.ok(made >= 0 && tried.every(({ at }) => made < at && at < moved))
  const cluster = kube()
  for (const namespace of namespaces) {
    const { items } = await cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: PROBE_LABEL })
    assert.equal(items, [])
  }
  await cluster.close()
})

test('again: nothing changes, what it proves is what the first table said, and check mode agrees', async () => {
  const it = await run('deploy.mjs', '--json')
  ok(it)
  const { create, update, delete: deleted, unchanged } = summaryOf(it).changes
  assert.equal({ create, update, deleted }, { create: 0, update: 0, deleted: 0 })
  assert.ok(unchanged > 20)
  outputs = summaryOf(it).outputs
  assert.is(outputs.proxy_private_ip, '172.16.28.8')
  const { gateway_public_ip: before, proxies } = outputs
  const [a, b] = [proxies['proxy-client-a']!.public_ip, proxies['proxy-client-b']!.public_ip]
  assert.is(new Set([before, a, b]).size, 3)
  // tenant, workloads moved, seen before, seen now, fixed address, gates passed
  assert.equal(table, [
    ['client-a', '2 of 2', before, a, a, '12 of 12'],
    ['client-b', '1 of 1', before, b, b, '6 of 6'],
  ])
  const proofs = it.events.filter(({ event }) => event === 'proof')
  assert.equal(
    proofs.map(({ tenant, addressBefore, addressNow, failures }) => ({ tenant, addressBefore, addressNow, failures })),
    [
      { tenant: 'client-a', addressBefore: before, addressNow: a, failures: [] },
      { tenant: 'client-b', addressBefore: before, addressNow: b, failures: [] },
    ],
  )
  await forgetCalls()
  ok(await run('deploy.mjs', '--check'))
  ok(await run('destroy.mjs', '--check'), 3)
  const methods = new Set((await calls()).map(it => it.method))
  assert.equal([...methods], ['GET'], 'a key that may only read is enough to check')
})

test('from inside a pod: the fixed address, nothing without the proxy, 403 and a log line otherwise', async () => {
  const address = outputs.proxies['proxy-client-b']!.public_ip
  for (const scheme of ['http', 'https']) {
    const environment = `export $(tr '\\0' '\\n' </proc/1/environ | grep -i _proxy= | xargs); `
    const seen = await inPod('client-b-demo', `${environment} curl -s --max-time 20 ${scheme}://whatismyip.example/`)
    assert.is(seen.stdout.trim(), address)
    const direct = await inPod('client-b-demo', `curl -s --noproxy '*' --max-time 2 ${scheme}://whatismyip.example/`)
    assert.is(direct.stdout, '')
    assert.is.not(direct.exitCode, 0)
  }
  const name = `nope-${process.pid}.example`
  const refused = await inPod(
    'client-b-demo',
    `curl -s -o /dev/null -w '%{http_code}' -x http://172.16.28.9:3128 http://${name}/`,
  )
  assert.is(refused.stdout, '403')
  const { stdout } = await checkout.start('sandbox.mjs', [
    'exec',
    'proxy-client-b',
    '--',
    'sh',
    '-c',
    // Squid writes it down when it is done, which may be after its answer.
    `n=0; until grep -F ${name} /var/log/squid/audit.log; do n=$((n + 1)); [ $n -le 300 ] || exit 1; sleep 0.1; done`,
  ])
  assert.match(stdout, /denied/)
})

test('evidence for an auditor: what was asked of a tenant, expected, seen, and written down', async () => {
  const directory = join(checkout.directory, 'evidence')
  const it = await run('60-verify.mjs', '--tenant', 'client-b', '--evidence', directory, '--json')
  ok(it)
  const [page, file] = readdirSync(directory).sort()
  assert.match(file!, /^evidence-client-b-[\dTZ-]+\.json$/)
  const json = readFileSync(join(directory, file!), 'utf8')
  if (process.env.KEEP_EVIDENCE) cpSync(directory, process.env.KEEP_EVIDENCE, { recursive: true })
  const made = JSON.parse(json) as Evidence
  const bad = [...made.proxies, ...made.addresses, ...made.samples].filter(({ verdict }) => verdict !== 'holds')
  assert.equal(bad, [])
  assert.is(made.verdict, 'holds')
  const fixed = outputs.proxies['proxy-client-b']!.public_ip
  assert.ok(made.addresses.length >= 2)
  for (const { expected, seen } of made.addresses) assert.equal([expected, seen], [[fixed], fixed])
  const [facts] = made.proxies.map(({ facts }) => facts)
  assert.match(facts!.revision, /^\d+-[0-9a-f]{8}$/)
  assert.is(facts!.inForce, facts!.revision)
  assert.match(facts!.squid, /^\d+\.\d+/)
  const kinds = new Set(made.samples.map(({ kind }) => kind))
  assert.ok(kinds.size >= 9, [...kinds].join(', '))
  const refused = made.samples.filter(({ by, expected }) => by !== 'straight' && expected === 'refused')
  assert.ok(refused.length >= 20)
  assert.equal(new Set(refused.map(({ logged }) => logged?.verdict)), new Set(['denied']))
  const text = readFileSync(join(directory, page!), 'utf8')
  assert.ok(text.includes(createHash('sha256').update(json).digest('hex')), 'the page names the hash of the file')
  assert.not.match(text, /<script|src=|url\(/)
})

test('hand edits are found, named, shown and mended', async () => {
  await checkout.start('sandbox.mjs', [
    'exec',
    'proxy-client-a',
    '--',
    'sh',
    '-c',
    'echo "# by hand" >>/etc/squid/squid.conf',
  ])
  const cluster = kube()
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'client-b-demo', name: 'curl-demo' }
  const other = { merge: { spec: { template: { metadata: { labels: { egress: 'none' } } } } } }
  const edit = () => cluster.patch(id, other, { manager: 'kubectl-edit' })
  await edit().then(
    () => assert.unreachable('the cluster itself refuses it'),
    thrown => assert.match(thrown.why, /the label egress=external comes off by scripts\/rollback.ts alone/),
  )
  // Somebody who may, and means it.
  const guard = 'kapsule-egress-label-client-b-demo'
  const binding = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' }
  await cluster.delete({ ...binding, name: guard })
  await edit()
  await cluster.close()
  const seen = await run('deploy.mjs', '--check', '--diff')
  ok(seen, 3)
  assert.match(seen.stdout, /\/etc\/squid\/squid\.conf/)
  assert.match(seen.stdout, /-# by hand/)
  assert.match(seen.stdout, /client-b-demo\/curl-demo/)
  assert.match(seen.stdout, /none/)
  assert.ok(seen.stdout.includes(guard))
  const mended = await run('deploy.mjs', '--json')
  ok(mended)
  const proof = mended.events.find(({ event, tenant }) => event === 'proof' && tenant === 'client-b')
  assert.is(proof?.addressBefore, outputs.gateway_public_ip, 'what a mended workload left by is no address before')
  ok(await run('deploy.mjs', '--check'))
})

test('a run that mended is taken back alone, and then the rest', async () => {
  const mending = readdirSync(join(state, 'runs')).sort().at(-1)!.slice(0, -'.jsonl'.length)
  ok(await run('rollback.ts', '--run', mending, '--yes'))
  ok(await run('rollback.ts', '--to', 'canary', '--yes'))
  const left = (await objects()).filter(it => it.owners.length > 0).map(it => `${it.kind} ${it.name}`)
  assert.equal(
    left.filter(it => it.startsWith('Deployment')),
    ['Deployment client-a-demo/curl-demo', 'Deployment client-b-demo/curl-demo'],
  )
  ok(await run('deploy.mjs', '--json'))
})

test('rolling back to the start brings every object back, twice', async () => {
  ok(await run('rollback.ts', '--to', 'start', '--yes'))
  start = await objects()
  assert.equal(
    start.flatMap(it => it.owners),
    [],
    'nothing of ours is left on them',
  )
  for (const namespace of namespaces) {
    const seen = await inPod(namespace, 'curl -s --max-time 20 http://whatismyip.example/')
    assert.is(seen.stdout.trim(), outputs.gateway_public_ip)
  }
  const again = await run('rollback.ts', '--to', 'start', '--yes', '--json')
  ok(again)
  assert.equal(summaryOf(again).changes, { create: 0, update: 0, delete: 0, unchanged: 0 })
  assert.equal(await objects(), start)
})

test('the runbook for rolling back runs, and finds nothing left', async () => {
  const zx = join(checkout.directory, 'node_modules/.bin/zx')
  const args = [zx, 'playbooks/runbooks/roll-back.md', '--context', 'sandbox']
  const { exitCode, all } = await execa(process.execPath, args, {
    cwd: checkout.directory,
    reject: false,
    all: true,
    stdin: 'ignore',
  })
  assert.is(exitCode, 0, all)
  assert.match(String(all), /nothing to roll back/)
})

test('a policy gets a number, and the one before it is one command away', async () => {
  const file = join(checkout.directory, 'inventory/sandbox/tenants/client-a.yaml')
  const text = readFileSync(file, 'utf8')
  const wider = text.replace(/^( +)allow:\n/m, '$1allow:\n$1  - { domain: later.example.com }\n')
  assert.is.not(wider, text)
  const revisions = async () => {
    const { events } = await run('policy.mjs', '--tenant', 'client-a', '--json')
    const { revisions } = events.find(it => it.event === 'revisions') as unknown as { revisions: Revision[] }
    return { current: revisions.find(it => it.current && it.inForce)!, all: revisions.length }
  }
  const was = await revisions()
  writeFileSync(file, wider)
  const told = await run('40-configure.mjs', '--check', '--diff')
  ok(told, 3)
  assert.match(told.stdout, /\+ allow later\.example\.com/)
  ok(await run('40-configure.mjs', '--json'))
  const now = await revisions()
  assert.is(now.all, was.all + 1)
  assert.is(now.current.rules, was.current.rules + 1)
  const back: [string, ...string[]] = ['policy.mjs', '--tenant', 'client-a', '--to', 'previous']
  ok(await run(...back, '--check'), 3)
  ok(await run(...back, '--yes'))
  assert.equal((await revisions()).current, was.current)
  ok(await run('policy.mjs', '--tenant', 'client-a', '--to', '999'), 2)
  writeFileSync(file, text)
  ok(await run('40-configure.mjs', '--check'))
})

test('--render writes what the hosts have, without a connection', async () => {
  const folder = join(checkout.directory, 'rendered')
  ok(await run('40-configure.mjs', '--render', folder))
  const file = 'etc/squid/squid.conf'
  const { stdout } = await checkout.start('sandbox.mjs', ['exec', 'proxy-client-a', '--', 'cat', `/${file}`])
  const rendered = readFileSync(join(folder, 'proxy-client-a', file), 'utf8').trimEnd()
  const later = '(known after flexible-ip/proxy-client-a)'
  assert.ok(rendered.includes(later), 'the address is given by the cloud')
  const [, address = ''] = /^acl own dst ([0-9.]+)$/m.exec(stdout) ?? []
  assert.is(rendered.replaceAll(later, address), stdout.trimEnd())
})

test('killed in the middle of a rollout: another process takes it back', async () => {
  for (const phase of ['rollout/canary', 'rollout/expand']) {
    const deploying = checkout.start('deploy.mjs', ['--json'])
    for await (const line of deploying) {
      if (!line.includes('"step-started"') || !line.includes('workload-egress')) continue
      if (phase === 'rollout/expand' && !line.includes('web-demo')) continue
      deploying.kill('SIGKILL')
      break
    }
    await deploying
    ok(await run('rollback.ts', '--to', 'start', '--yes'))
    assert.equal(await objects(), start, phase)
  }
})

test('stage by stage from nothing: each says what it lacks, and the start is what rolling back brought', async () => {
  ok(await run('destroy.mjs', '--yes'))
  assert.equal(await owned(), [])
  const early = await run('40-configure.mjs', '--json')
  ok(early, 1)
  assert.match(early.stderr, /the stage gateway is not complete/)
  for (const stage of ['10-gateway', '20-proxy', '30-cluster', '40-configure']) ok(await run(`${stage}.mjs`, '--json'))
  assert.equal(await owned(), resources)
  assert.equal(await objects(), start)
})
