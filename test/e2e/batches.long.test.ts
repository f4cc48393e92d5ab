import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { makeCheckout } from '../support/checkout.ts'
import { suite } from '../support/suite.ts'
import { ok } from './looks.ts'

const { test, before, after } = suite('proxies changed one by one, with a check after each', { seconds: 200 })
const checkout = makeCheckout()
const { run } = checkout
after(() => checkout.remove())

const inventory = join(checkout.directory, 'inventory/sandbox')
const proxies = ['proxy-client-a', 'proxy-client-b', 'proxy-client-c']
const tenants = ['client-a', 'client-b', 'client-c'].map(it => join(inventory, 'tenants', `${it}.yaml`))
const edit = (file: string, change: (text: string) => string) => {
  const text = readFileSync(file, 'utf8')
  const next = change(text)
  assert.is.not(next, text)
  writeFileSync(file, next)
}
const configure = (words: string) =>
  edit(
    join(inventory, 'context.yaml'),
    it => `${it.replace(/^configure:.*\n/m, '').replace(/\n*$/, '\n')}configure: ${words}\n`,
  )
const allow = (domain: string) => {
  for (const it of tenants)
    edit(it, text =>
      text.replace(/ {2}allow:\n(.*changed.*\n)?/, `  allow:\n    - { domain: ${domain}, comment: changed }\n`),
    )
}
/** What of a proxy a run could change. Policies are history, and stay: which of them is in force is what their link says. */
const filesOf = async (proxy: string) => {
  const look =
    'cd /etc && find squid ufw logrotate.d systemd/system -path "squid/egress/*/*" -o -type l -printf "%l %p\\n" -o -type f -exec stat -c "%n %a %U %G" {} + -exec sha256sum {} + | sort; iptables -S'
  const { code, stdout, stderr } = await run('sandbox.mjs', 'exec', proxy, '--', 'sh', '-c', look)
  assert.is(code, 0, stderr)
  return stdout
}
const all = () => Promise.all(proxies.map(filesOf))
const endsOf = ({ events }: Awaited<ReturnType<typeof run>>) => {
  const { hosts } = events.find(it => it.event === 'hosts') as unknown as { hosts: Record<string, { status: string }> }
  return proxies.map(it => hosts[it]?.status)
}
const sick = '{ command: "test $(hostname) != proxy-client-c", within: 1s }'

before(async () => {
  writeFileSync(
    tenants[2]!,
    readFileSync(tenants[1]!, 'utf8').replaceAll('client-b', 'client-c').replace('172.16.28.9', '172.16.28.10'),
  )
  edit(join(inventory, 'context.yaml'), it => `${it}groups: { two: {} }\n`)
  for (const it of tenants.slice(1)) edit(it, text => text.replace('pool:', 'groups: [two]\npool:'))
  configure('{ serial: 1 }')
  const made = await run('deploy.mjs', '--json', '--tags', 'gateway,proxy,cluster,configure')
  ok(made)
  assert.equal(endsOf(made), ['changed', 'changed', 'changed'])
})

test('the third fails its check: all go back to their files and rules, and the run says so', async () => {
  configure(`{ serial: [1, 50%], health: [{ http: 3128 }, ${sick}] }`)
  allow('one.example.com')
  const was = await all()
  const failed = await run('40-configure.mjs', '--json')
  ok(failed, 1)
  assert.equal(endsOf(failed), ['changed', 'changed', 'failed'])
  assert.match(failed.stderr, /put back as before: .*proxy-client-a/)
  const problem = failed.events.find(it => it.event === 'problem') as unknown as { what: string; why: string }
  assert.match(problem.what, /proxy-client-c: health check test .* failed; the host is as it was before/)
  assert.equal(await all(), was)
})

test('kept, the first two stay changed, and only the third is as before', async () => {
  configure(`{ serial: 1, onFailure: keep, health: [${sick}] }`)
  const was = await all()
  const failed = await run('40-configure.mjs', '--json')
  ok(failed, 1)
  assert.equal(endsOf(failed), ['changed', 'changed', 'failed'])
  const now = await all()
  assert.is(now[2], was[2])
  assert.is.not(now[0], was[0])
  assert.is.not(now[1], was[1])
})

test('a group and a tag choose one proxy and its allowlist; a misspelt exclusion touches nothing', async () => {
  configure('{ serial: 100% }')
  allow('two.example.com')
  const was = await all()
  const typo = await run('40-configure.mjs', '--json', '--limit', 'two:!client-d')
  ok(typo, 2)
  assert.match(typo.stderr, /matches nothing by client-d/)
  assert.equal(await all(), was)
  const done = await run('40-configure.mjs', '--json', '--limit', 'two:!client-b', '--tags', 'allowlist')
  ok(done)
  assert.equal(endsOf(done), [undefined, undefined, 'changed'])
  const [a, b, c] = await all()
  assert.equal([a, b], was.slice(0, 2))
  const changed = was[2]!.split('\n').filter(it => !c!.includes(it))
  assert.equal(
    changed.map(it => it.split(' ').at(-1)),
    ['squid/egress/client-c.policy'],
  )
  ok(await run('40-configure.mjs', '--json'))
  ok(await run('40-configure.mjs', '--check', '--json'))
})

test('a check tells what it sees, and which host it could not reach', async () => {
  configure('{ serial: 2 }')
  allow('three.example.com')
  const shut = (how: string) => `iptables ${how} INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset`
  const exec = (command: string) => run('sandbox.mjs', 'exec', 'proxy-client-b', '--', 'sh', '-c', command)
  ok(await exec(shut('-I')))
  const checked = await run('40-configure.mjs', '--check', '--json')
  ok(await exec(shut('-D')))
  ok(checked, 1)
  assert.equal(endsOf(checked), ['would-change', 'unreachable', 'would-change'])
  assert.equal(
    checked.events.flatMap(it => (it.event === 'planned' ? [it.step] : [])),
    ['host-play/proxy-client-a', 'host-play/proxy-client-c'],
  )
  const [problem] = checked.events.filter(it => it.event === 'problem')
  assert.is(problem?.unreachable, true)
  assert.match(String(problem?.what), /proxy-client-b is unreachable at/)
  ok(await run('40-configure.mjs', '--check', '--json'), 3)
})
