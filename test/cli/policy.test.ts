import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { policy } from '../../src/cli/commands/policy.ts'
import { parse } from '../../src/cli/flags.ts'
import { createOutput } from '../../src/cli/output.ts'
import type { Session } from '../../src/cli/session.ts'
import { noJournal } from '../../src/engine/journal.ts'
import { Problem } from '../../src/engine/problem.ts'
import type { HostAddress } from '../../src/hosts/address.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('cli: policy')
after(cleanUp)

/** A tenant on two machines that exist already, so that no cloud is asked where they are. */
const twoProxies = async () => {
  const proxies = ['one', 'two'].map(
    (it, at) =>
      `{ name: ${it}, privateIp: 172.16.28.${20 + at}, existing: { host: ${it}, publicIp: 203.0.113.${8 + at} } }`,
  )
  const copy = changed({
    'context.yaml': [
      [/prepare:\n.*\n/, 'hosts: { ansible: inventory/sandbox/hosts.yml }\n'],
      ['.egress/.sandbox/id_ed25519', 'id'],
    ],
    'tenants/client-a.yaml': [[/proxy: .*/, `proxies: [${proxies.join(', ')}]`]],
  })
  const hosts = { one: { ansible_host: '172.16.28.20' }, two: { ansible_host: '172.16.28.21' } }
  writeFileSync(join(copy, 'inventory/sandbox/hosts.yml'), JSON.stringify({ all: { hosts } }))
  writeFileSync(join(copy, 'id.pub'), 'ssh-ed25519 A\n')
  return loadContext('sandbox', { root: copy, env: {} })
}

const listed = (...revisions: string[]) =>
  revisions.map((it, at) => `client-a ${it} 1795000000 enforce 4 ${at === 0 ? 'no no' : 'yes yes'}\n`).join('')

/** What is said of `--to` before the proxies are asked what turning would change, where these are what they have. */
const saidOf = async (to: string, has: { one: string; two: string }) => {
  const err: string[] = []
  const into = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0 })
  const { flags } = parse('policy', ['--tenant', 'client-a', '--to', to, '--check'], {})
  const asked: string[] = []
  const ssh = {
    async exec({ name }: HostAddress) {
      if (asked.includes(name)) throw new Problem('not asked in this test', { why: '-', next: '-' })
      asked.push(name)
      return { stdout: has[name as keyof typeof has] }
    },
  }
  const never = new AbortController().signal
  const world = { clientsFor: () => ({ ssh }), journal: noJournal('r'), watch() {}, stop: never, abort: never }
  const session = {
    ...{ flags, world, context: await twoProxies(), state: '/nowhere', clients: { ssh } },
    output: createOutput({ json: false, env: {} }, { stdout: into([]), stderr: into(err) }),
  } as unknown as Session
  try {
    await policy(session)
    assert.unreachable('the plan was made of nothing')
  } catch (thrown) {
    assert.match(String(thrown), 'not asked in this test')
  }
  assert.equal(asked.toSorted(), ['one', 'two'])
  return err.join('')
}

const same = listed('1-00000001', '2-00000002')
for (const { to, two, differs } of [
  { to: '1', two: same, differs: false },
  { to: 'previous', two: same, differs: false },
  { to: '1', two: listed('1-00000003', '2-00000002'), differs: true },
  { to: 'previous', two: listed('1-00000003', '2-00000002'), differs: true },
  { to: '00000001', two: listed('5-00000001', '6-00000003'), differs: false },
])
  test(`--to ${to} where the other proxy has ${two.match(/\d-\d{8}/g)}: ${differs ? 'not one' : 'one'} policy`, async () => {
    const said = await saidOf(to, { one: same, two })
    assert.is(said, differs ? `note: ${to} is not the same policy on each proxy; a hash, as in NUMBER-HASH, is\n` : '')
  })
