import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { PasswordFrom } from '../../src/hosts/address.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, problem, quiet } from '../support/plays.ts'
import { sudoPackage } from '../support/sudo.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('becoming root on a real host')

const secret = `pa ss'"$(touch /run/pwned)\\w0rd-of-op`
const variable = 'KE_TEST_SUDO'
const ssh = createSsh({ bootSeconds: 2, connectTimeoutSeconds: 20 })
const folder = mkdtempSync(join(tmpdir(), 'ke-become-'))
let host: TestHost
let sudo: ReturnType<typeof sudoPackage>

before(async () => {
  sudo = sudoPackage()
  host = await makeHost(24)
  host.sh(`${sudo.install}
for user in free asked stranger; do useradd -m -s /bin/sh $user; done
cat >/tmp/word <<'EOF'
asked:${secret}
stranger:${secret}
EOF
chpasswd </tmp/word; rm /tmp/word
echo 'free ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/free; echo 'asked ALL=(ALL) ALL' >/etc/sudoers.d/asked
# who asks twice would ask for a minute: each refusal takes two seconds
echo 'Defaults passwd_tries=30' >/etc/sudoers.d/tries
usermod -p '*' free`)
})

after(async () => {
  delete process.env[variable]
  await ssh.close()
  await host?.down()
  sudo?.remove()
  rmSync(folder, { recursive: true })
})

const playFor = (user: string, password: PasswordFrom | undefined, tasks: Task[]): HostPlay => ({
  host: { ...host.address, user, ...(password && { become: { password } }) },
  tasks,
  handlers: {},
})
const made = (content: string) => file('/etc/made', content)
const change = async (want: HostPlay) => hostPlay.apply(want, { ssh }, await hostPlay.read(want, { ssh }, quiet), quiet)

for (const { when, user, password } of [
  { when: 'sudo asks for nothing', user: 'free', password: undefined },
  { when: 'sudo asks for nothing, though a password is named', user: 'free', password: { env: variable } },
  { when: 'sudo asks, and a variable has the password', user: 'asked', password: { env: variable } },
  { when: 'sudo asks, and a file has the password', user: 'asked', password: { file: join(folder, 'word') } },
])
  test(`it looks, changes and looks: ${when}`, async () => {
    process.env[variable] = secret
    writeFileSync(join(folder, 'word'), `${secret}\n`, { mode: 0o600 })
    // Longer than a pipe and than what sudo may read ahead.
    const content = `${when}\n${'x'.repeat(200_000)}\n`
    const want = playFor(user, password, [made(content)])
    assert.is(hostPlay.diff(want, await change(want)), null)
    assert.is(host.sh('cat /etc/made'), content)
    assert.is(host.sh('ls /run/pwned 2>/dev/null || echo no'), 'no\n')
  })

test('the password is in no argument, environment or log of the host while root works there', async () => {
  process.env[variable] = secret
  const spy = `for it in /proc/[0-9]*; do cat $it/cmdline $it/environ 2>/dev/null; done | tr '\\0' '\\n' | grep -c 'w0rd-[o]f-op' >/run/found || :; grep -rlF w0rd-of-op /var/log /etc /var/lib/kapsule-egress /tmp /home >/run/files 2>/dev/null || :`
  await change(
    playFor('asked', { env: variable }, [{ task: 'command', name: 'spy', run: spy, unless: 'test -e /run/found' }]),
  )
  assert.is(host.sh('cat /run/found /run/files'), '0\n')
})

for (const { when, user, password, word, says, exit } of [
  {
    when: 'a wrong password',
    user: 'asked',
    password: { env: variable },
    word: 'wrong',
    says: /test-24: asked cannot become root: the password is wrong/,
    exit: 2,
  },
  {
    when: 'no password named',
    user: 'asked',
    password: undefined,
    word: '',
    says: /test-24: asked cannot become root.*a password is required.*ssh\.become\.password/s,
    exit: 1,
  },
  {
    when: 'nobody that sudo knows',
    user: 'stranger',
    password: { env: variable },
    word: secret,
    says: /test-24: stranger cannot become root.*sudoers/s,
    exit: 1,
  },
  {
    when: 'a variable that is not set',
    user: 'asked',
    password: { env: variable },
    word: '',
    says: /KE_TEST_SUDO is not set/,
    exit: 2,
  },
])
  test(`${when} is a quick problem, and nothing was touched`, async () => {
    process.env[variable] = word
    const want = playFor(user, password, [made('never\n')])
    const began = Date.now()
    const { message, why, next, exit: code } = await problem(hostPlay.read(want, { ssh }, quiet) as Promise<unknown>)
    assert.ok(Date.now() - began < 30_000, `${Date.now() - began} ms`)
    assert.match(`${message}\n${why}\n${next}`, says)
    assert.is(code, exit)
    assert.not.match(`${message}${why}${next}`, /w0rd-of-op|\bwrong\b(?! )/)
  })

test('a password file that others may read is refused', async () => {
  const path = join(folder, 'open')
  writeFileSync(path, secret)
  chmodSync(path, 0o644)
  const { why, exit } = await problem(
    hostPlay.read(playFor('asked', { file: path }, []), { ssh }, quiet) as Promise<unknown>,
  )
  assert.match(why, /others may read/)
  assert.is(exit, 2)
})

test('a sudo password that turns wrong between the look and the change leaves the host as it is', async () => {
  process.env[variable] = secret
  const want = playFor('asked', { env: variable }, [made('other\n')])
  const seen = await hostPlay.read(want, { ssh }, quiet)
  const was = host.sh('sha256sum /etc/made')
  process.env[variable] = 'not it'
  assert.match((await problem(hostPlay.apply(want, { ssh }, seen, quiet))).message, /the password is wrong/)
  assert.is(host.sh('sha256sum /etc/made'), was)
})
