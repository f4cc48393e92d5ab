import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { rangeOf } from '../../../src/engine/ranges.ts'
import { commandFirewall } from '../../../src/rollout/allowlist/command.ts'
import { crunchyBridge } from '../../../src/rollout/allowlist/crunchybridge.ts'
import { letIn, takeOut } from '../../../src/rollout/allowlist/entries.ts'
import { suite } from '../../support/suite.ts'
import { report } from '../cluster.ts'
import { KEY, startPartner } from './partner.ts'

const { test, after } = suite('allowlist: providers')
const { signal } = new AbortController()
const told = (withinMs = 2000) => ({ ...report(), what: 'the list', withinMs })
const ours = { range: '203.0.113.9/32', description: 'kapsule-egress sandbox/client-a' }
const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const it of closing) await it()
})
const started = async (ranges?: string[]) => {
  const partner = await startPartner(ranges)
  closing.push(partner.close)
  return { partner, firewall: crunchyBridge(partner.ref, signal) }
}

const problemOf = async (act: () => Promise<unknown>): Promise<Problem> => {
  try {
    await act()
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown
    throw thrown
  }
  throw new Error('it did not throw')
}

for (const [written, one] of [
  ['203.0.113.7', '203.0.113.7/32'],
  ['203.0.113.7/24', '203.0.113.0/24'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8::0:1', '2001:db8::1/128'],
  ['2001:db8::/32', '2001:db8::/32'],
] as const)
  test(`one spelling of ${written}`, () => assert.is(rangeOf(written), one))

test('lets a range in, and takes it out', async () => {
  const { partner, firewall } = await started()
  const tell = told()
  assert.is((await letIn(firewall, ours, tell)).length, 2)
  assert.equal(tell.parts, ['let 203.0.113.9/32 in', '203.0.113.9/32 is let in'])
  assert.is(partner.rules.rules().at(-1)!.description, ours.description)
  await takeOut(firewall, { range: '198.51.100.7/32', keep: [ours.range] }, told())
  assert.equal(partner.now(), [ours.range])
})

test('a long list comes in pages', async () => {
  const many = Array.from({ length: 230 }, (_, n) => `198.18.${n}.1/32`)
  const { firewall, partner } = await started(many)
  const found = (await firewall.list()).map(it => it.range).sort()
  assert.equal(found, [...many].sort())
  assert.is(partner.calls.length, 3)
})

for (const { when, faults } of [
  { when: 'lost before its effect', faults: [{ status: 200 }, { status: 503 }] },
  { when: 'lost after its effect', faults: [{ status: 200 }, { status: 502, after: true }] },
  { when: 'put off', faults: [{ status: 429 }, { status: 429 }] },
])
  test(`a change that is ${when} is made once`, async () => {
    const { firewall, partner } = await started()
    // The first call is a look, which goes well.
    partner.rules.fail(...faults.map(it => (it.status === 200 ? undefined : it)))
    await letIn(firewall, ours, told(10_000))
    assert.equal(partner.now(), ['198.51.100.7/32', ours.range])
    assert.is(partner.history.length, 2)
  })

test('what would narrow it too far is not done', async () => {
  const { firewall, partner } = await started()
  const last = await problemOf(() => takeOut(firewall, { range: '198.51.100.7/32', keep: [] }, told()))
  assert.match(last.why, /the last entry/)
  const lacking = await problemOf(() => takeOut(firewall, { range: '198.51.100.7/32', keep: [ours.range] }, told()))
  assert.match(lacking.why, /would lack 203.0.113.9/)
  assert.is(partner.history.length, 1)
})

test('a refusal is told with what to do, and without the key', async () => {
  const { partner } = await started()
  process.env.WRONG_KEY_OF_TEST = 'cbkey_wrong'
  const wrong = crunchyBridge({ ...partner.ref, key: { env: 'WRONG_KEY_OF_TEST' } }, signal)
  const refused = await problemOf(() => letIn(wrong, ours, told()))
  assert.match(refused.why, /Invalid API key/)
  assert.match(refused.next, /key/)
  assert.not.match(JSON.stringify([refused.message, refused.why, refused.next]), /cbkey/)
  const nowhere = crunchyBridge({ ...partner.ref, network: 'other' }, signal)
  assert.match((await problemOf(() => nowhere.list())).next, /externalAllowlist.network/)
  const unset = crunchyBridge({ ...partner.ref, key: { env: 'NOT_SET_IN_TEST' } }, signal)
  assert.match((await problemOf(() => unset.list())).message, /NOT_SET_IN_TEST/)
  await partner.close()
  const silent = await problemOf(() => letIn(crunchyBridge(partner.ref, signal), ours, told(300)))
  assert.match(silent.message, /no answer/)
  assert.not.match(silent.why, new RegExp(KEY))
})

const directory = mkdtempSync(join(tmpdir(), 'firewall-'))
closing.push(async () => rmSync(directory, { recursive: true }))
const program = join(directory, 'firewall.mjs')
writeFileSync(
  program,
  `import { readFileSync, writeFileSync } from 'node:fs'
const file = process.argv[3]
const read = () => { try { return JSON.parse(readFileSync(file, 'utf8')) } catch { return [] } }
const input = readFileSync(0, 'utf8')
if (process.argv[2] === 'list') console.log(JSON.stringify(read()))
else if (process.argv[2] === 'add') writeFileSync(file, JSON.stringify([...read(), JSON.parse(input)]))
else if (process.argv[2] === 'remove') writeFileSync(file, JSON.stringify(read().filter(it => it.range !== JSON.parse(input).range)))
else if (process.argv[2] === 'later') process.exit(75)
else if (process.argv[2] === 'hang') setTimeout(() => {}, 60000)
else { console.error('no', process.env.TOKEN_OF_TEST, Object.keys(process.env).length); process.exit(3) }
`,
)
const words = (verb: string) => [process.execPath, program, verb, join(directory, 'list.json')]
const commands = { provider: 'command' as const, list: words('list'), add: words('add'), remove: words('remove') }

test('commands of the operator do the same', async () => {
  const firewall = commandFirewall({ ...commands, root: directory }, signal)
  await letIn(firewall, { range: '198.51.100.7/32', description: 'office' }, told())
  await letIn(firewall, ours, told())
  await takeOut(firewall, { range: '198.51.100.7/32', keep: [ours.range] }, told())
  assert.equal(await firewall.list(), [ours])
})

test('a command that fails, hangs or babbles is told by name, without secrets', async () => {
  const variables = { PATH: process.env.PATH, TOKEN_OF_TEST: 'hush-hush', OTHER: 'x' }
  const of = (verb: string) =>
    commandFirewall(
      { ...commands, list: words(verb), env: ['TOKEN_OF_TEST'], timeout: '700ms', root: directory, variables },
      signal,
    )
  const failed = await problemOf(() => of('fail').list())
  assert.match(failed.why, /exit code 3: no \*\*\* 2/)
  assert.is(of('fail').passing(failed), false)
  const hung = await problemOf(() => of('hang').list())
  assert.match(hung.why, /did not end within 700ms/)
  const later = await problemOf(() => of('later').list())
  assert.is(of('later').passing(later), true)
  const babble = commandFirewall({ ...commands, list: ['echo', 'hello'], root: directory }, signal)
  assert.match((await problemOf(() => babble.list())).message, /printed no list/)
  const missing = commandFirewall({ ...commands, list: [join(directory, 'none')], root: directory }, signal)
  assert.match((await problemOf(() => missing.list())).why, /ENOENT|did not start/)
})
