import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { decide } from '../../src/policy/decide.ts'
import { policyOf, readEntries } from '../../src/policy/entries.ts'
import { policyText } from '../../src/policy/policy-file.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { type Case, cases } from './cases.ts'

const { test, before, after } = suite('policy-helper, without Squid', { seconds: 120 })

const helper = fileURLToPath(new URL('../../templates/usr/local/lib/kapsule-egress/policy-helper', import.meta.url))
let dir: string
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-helper-'))
})
after(() => rmSync(dir, { recursive: true, force: true }))

/** As Squid escapes what clients say. */
const word = (text: string) => encodeURIComponent(text) || '-'
const question = ({ request: { method, scheme, host, port } }: Case) =>
  `${word(method)} ${word(scheme)} ${word(host.includes(':') ? `[${host}]` : host)} ${port}`

const onPerl = () => {
  const all = [...Map.groupBy(cases(), it => it.policy).values()]
  test(`--decide says what decide() does, in ${all.flat().length} cases`, () => {
    const path = join(dir, 'decided.policy')
    const differ: string[] = []
    for (const few of all) {
      const { lists, shared, mode, policy: n } = few[0]!
      const { policy } = readEntries(shared, { tenant: `t${n}`, egress: { ...lists, mode } })
      writeFileSync(path, policyText(policy))
      const input = few.map(it => `${question(it)}\n`).join('')
      const { stdout, status, stderr } = spawnSync('perl', [helper, '--decide', path], { input, encoding: 'utf8' })
      assert.is(status, 0, stderr)
      const answers = stdout.trim().split('\n')
      assert.is(answers.length, few.length)
      for (const [at, it] of few.entries()) {
        const { verdict, rule } = decide(policy, it.request)
        const expected = `${verdict === 'denied' ? 'ERR' : 'OK'} verdict=${verdict} rule=${rule}`
        if (answers[at] !== expected) differ.push(`${question(it)} (case ${it.n}): ${answers[at]}, not ${expected}`)
      }
    }
    assert.equal(differ, [])
  })

  const good = policyText(
    policyOf(
      {},
      { tenant: 'client-a', egress: { mode: 'enforce', allow: [{ domain: '.ok.test' }, { domain: 'x.test' }] } },
    ),
  )
  for (const { when, text, says } of [
    { when: 'whole', text: good, says: null },
    { when: 'empty', text: '', says: /without an end line/ },
    { when: 'without its end', text: good.replace(/end\t.*\n/, ''), says: /without an end line/ },
    { when: 'cut in its last line', text: good.slice(0, -1), says: /cut/ },
    { when: 'one rule short', text: good.replace(/allow\tx\.test.*\n/, ''), says: /1 rules were read, not 2/ },
    { when: 'longer than its end', text: `${good}allow\n`, says: /not at the end/ },
    { when: 'of another version', text: good.replace('policy\t1', 'policy\t2'), says: /version/ },
    { when: 'of a mode that nobody knows', text: good.replace('enforce', 'enforced'), says: /no mode/ },
    { when: 'with an odd name', text: good.replace('x.test', 'x test'), says: /not a rule/ },
    { when: 'with line ends of Windows', text: good.replaceAll('\n', '\r\n'), says: /line 1/ },
  ])
    test(`--check of a file ${when}`, () => {
      const path = join(dir, 'checked.policy')
      writeFileSync(path, text)
      const { status, stdout } = spawnSync('perl', [helper, '--check', path], { encoding: 'utf8' })
      assert.is(status, says ? 1 : 0, stdout)
      if (says) assert.match(stdout, says)
    })

  test('it takes a turned link, keeps the last good policy, and ends with Squid', () =>
    withHelper('egress', async ({ policies, ask, about, loaded, end }) => {
      const turn = (revision: string, text: string) => {
        writeFileSync(join(policies, 'client-a', `${revision}.policy`), text)
        symlinkSync(`client-a/${revision}.policy`, join(policies, 'new'))
        renameSync(join(policies, 'new'), join(policies, 'client-a.policy'))
      }
      assert.is(await about('a.ok.test'), 'ERR verdict=denied rule=no-policy revision=-')
      turn('1-00000000', good)
      assert.is(await about('a.ok.test'), 'OK verdict=allowed rule=allow:.ok.test revision=1-00000000')
      turn('2-00000000', good.replace('.ok.test', '.ko.test'))
      assert.ok(await until(() => loaded().startsWith('loaded 2-00000000'), 20))
      assert.is(await about('a.ok.test'), 'ERR verdict=denied rule=not-listed revision=2-00000000')
      turn('3-00000000', good.slice(0, -3))
      assert.ok(await until(() => /refused 3-00000000/.test(loaded()), 20))
      assert.is(await about('x.test'), 'OK verdict=allowed rule=allow:x.test revision=2-00000000')
      assert.is(await ask('CONNECT - x.test 443 nobody'), 'ERR verdict=denied rule=no-policy revision=-')
      assert.is(await ask('CONNECT'), 'ERR verdict=denied rule=malformed revision=-')
      assert.is(await end(), 0)
    }))

  test('it takes a mounted ConfigMap when its ..data turns, and refuses one with no revision or two', () =>
    withHelper('mounts', async ({ policies, about, loaded, forget }) => {
      const mount = join(policies, 'client-a')
      let turns = 0
      // As the kubelet does: a directory with all keys, then one link to it in place of the last.
      const turn = (keys: Record<string, string>) => {
        const at = `..2026_11_21_${++turns}`
        mkdirSync(join(mount, at))
        for (const [key, text] of Object.entries(keys)) writeFileSync(join(mount, at, key), text)
        symlinkSync(at, join(mount, '..data_tmp'))
        renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
        for (const it of readdirSync(mount))
          if (it.startsWith('..2') && it !== at) rmSync(join(mount, it), { recursive: true })
      }
      assert.is(await about('a.ok.test'), 'ERR verdict=denied rule=no-policy revision=-')
      turn({ '1-00000000.policy': good })
      assert.is(await about('a.ok.test'), 'OK verdict=allowed rule=allow:.ok.test revision=1-00000000')
      turn({ '2-00000000.policy': good.replace('.ok.test', '.ko.test') })
      assert.ok(await until(() => loaded().startsWith('loaded 2-00000000'), 20))
      assert.is(await about('a.ok.test'), 'ERR verdict=denied rule=not-listed revision=2-00000000')
      const none: Record<string, string> = {}
      for (const keys of [none, { '3-00000000.policy': good, '4-00000000.policy': good }]) {
        forget()
        turn(keys)
        assert.ok(await until(() => loaded() !== '', 20))
        assert.match(loaded(), /^loaded 2-00000000\nrefused - its link names no revision/)
      }
      turn({ '5-00000000.policy': good })
      assert.ok(await until(() => loaded() === 'loaded 5-00000000\n', 20))
    }))
}

type Helper = {
  policies: string
  ask(text: string): Promise<string>
  about(host: string): Promise<string>
  /** What it says of client-a's policy; empty: nothing yet. */
  loaded(): string
  forget(): void
  /** As Squid ends it: its exit code. */
  end(): Promise<unknown>
}

/** A helper on directories of its own, with an empty one for client-a. */
const withHelper = async (name: string, work: (helper: Helper) => Promise<void>) => {
  const [policies, spool] = [join(dir, name), join(dir, `${name}-spool`)]
  for (const it of [join(policies, 'client-a'), spool]) mkdirSync(it, { recursive: true })
  const child = spawn('perl', [helper, policies, spool], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const ask = asking(child)
  const state = join(spool, 'egress-client-a.loaded')
  try {
    await work({
      ...{ policies, ask },
      about: host => ask(`CONNECT - ${host} 443 client-a`),
      loaded: () => (existsSync(state) ? readFileSync(state, 'utf8') : ''),
      forget: () => rmSync(state),
      end() {
        child.stdin.end()
        return ended
      },
    })
  } finally {
    child.kill('SIGKILL')
  }
}

/** Asks by channel, as Squid does, and ends with the answer of that channel. */
const asking = (child: ChildProcess) => {
  let said = ''
  child.stdout!.on('data', chunk => {
    said += chunk
  })
  let last = 0
  return async (text: string): Promise<string> => {
    const id = ++last
    child.stdin!.write(`${id} ${text}\n`)
    const answer = () => said.match(new RegExp(`^${id} (.*)\\n`, 'm'))?.[1]
    assert.ok(await until(() => answer() !== undefined, 20), `no answer to ${text}`)
    return answer()!
  }
}

if (spawnSync('perl', ['-e', '1']).status === 0) onPerl()
else test('left out: perl is not here', () => console.error('policy-helper was not tried: perl is not here'))
