import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { commands } from '../../src/cli/commands.mjs'
import { argumentsOf } from '../../src/cli/start.mjs'
import { suite } from '../support/suite.ts'

const { test } = suite('cli: start')
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const zx = join(root, 'node_modules/.bin/zx')
const scriptOf = (name: string) => join(root, 'scripts', name === 'rollback' ? 'rollback.ts' : `${name}.mjs`)

for (const { when, argv, gives } of [
  { when: 'plain node', argv: ['node', '/x/scripts/deploy.mjs', '--check'], gives: ['--check'] },
  { when: 'zx', argv: ['node', '/x/.bin/zx', 'scripts/deploy.mjs', '--limit', '007'], gives: ['--limit', '007'] },
  { when: 'zx with flags of its own', argv: ['node', '/x/zx', '--quiet', 'deploy.mjs', '--json'], gives: ['--json'] },
  {
    when: 'its own name as a value',
    argv: ['node', 'deploy.mjs', '--limit', 'deploy.mjs'],
    gives: ['--limit', 'deploy.mjs'],
  },
]) {
  test(`arguments, by ${when}`, () => assert.equal(argumentsOf('deploy.mjs', argv), gives))
}

test('every command answers --help, from any directory', () => {
  for (const name of Object.keys(commands)) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [scriptOf(name), '--help'], { cwd: tmpdir() })
    assert.is(status, 0, String(stderr))
    assert.match(String(stdout), `npx zx scripts/${name}`)
    for (const flag of Object.keys(commands[name]!.flags)) assert.match(String(stdout), `--${flag}`)
  }
})

test('zx runs it too, and --help loads nothing of weight', () => {
  const { status, stdout } = spawnSync(zx, [scriptOf('deploy'), '--help'], { cwd: tmpdir() })
  assert.is(status, 0)
  assert.match(String(stdout), 'exit codes')
  const loaded = spawnSync(process.execPath, ['--import', watchLoads, scriptOf('deploy'), '--help'])
  assert.equal(
    String(loaded.stderr)
      .split('\n')
      .filter(it => it.includes('.ts') || it.includes('node_modules')),
    [],
  )
})

test('a flag that nobody knows ends with 2, under zx as well', () => {
  for (const [program, ...args] of [[process.execPath], [zx]] as [string, ...string[]][]) {
    const { status, stderr } = spawnSync(program, [...args, scriptOf('deploy'), '--chekc'], { cwd: tmpdir() })
    assert.match(String(stderr), 'did you mean --check?')
    assert.is(status, 2)
  }
})

/** Names every module that is loaded, on stderr. */
const watchLoads = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`)}`

const relay = JSON.stringify(new URL('../../src/cli/relay.mjs', import.meta.url).href)
const worker = `
  import { obeyLauncher } from ${relay}
  obeyLauncher({ sameMs: 4000 })
  let count = 0
  process.on('SIGINT', () => console.log('interrupted ' + ++count))
  process.on('SIGTERM', () => { console.log('terminated'); process.exit(7) })
  console.log('worker ' + process.pid)
  setInterval(() => {}, 1000)`
const launcher = `
  import { inPlace } from ${relay}
  process.exitCode = await inPlace(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(worker)}])`

const launched = async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', launcher], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', it => {
    text += it
  })
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
  const says = async (pattern: RegExp) => {
    for (let left = 1200; left > 0; left--) {
      const found = pattern.exec(text)
      if (found) return found
      await pause(50)
    }
    throw new Error(`it never said ${pattern}, but: ${text}`)
  }
  const worker = Number((await says(/worker (\d+)/))[1])
  return { launcher: child, worker, says, ended, text: () => text }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a signal to the launcher alone reaches the worker, and its exit code comes back', async () => {
  const { launcher, says, ended } = await launched()
  launcher.kill('SIGINT')
  await says(/interrupted 1/)
  launcher.kill('SIGTERM')
  await says(/terminated/)
  assert.is(await ended, 7)
})

test("a terminal's Ctrl-C, which both get, counts once", async () => {
  const { launcher, worker, says, ended, text } = await launched()
  launcher.kill('SIGINT')
  process.kill(worker, 'SIGINT')
  await says(/interrupted 1/)
  await pause(2500)
  assert.not.match(text(), /interrupted 2/)
  launcher.kill('SIGTERM')
  await ended
})

test('a launcher killed with -9 takes the worker along', async () => {
  const { launcher, worker, ended } = await launched()
  launcher.kill('SIGKILL')
  await ended
  for (let left = 1200; left > 0 && isAlive(worker); left--) await pause(50)
  assert.not(isAlive(worker))
})
