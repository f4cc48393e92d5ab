import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeLeftovers } from './support/leftovers.ts'

/** `node test/run.ts [unit|root|e2e|alone|long] [PART OF A PATH ...]`: each test file is a process; the last line counts. */

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Only for what hangs: a busy machine may take ten times as long as a quiet one. */
const testLimitMs = 900_000
const longLimitMs = 3_600_000

type Tier = {
  name: string
  /** Which queue it waits in: side by side, side by side with machines, one after another. */
  queue: 0 | 1 | 2
  matches: (file: string) => boolean
  missing: () => Promise<string | null>
}

const tiers: Tier[] = [
  {
    name: 'unit',
    queue: 0,
    matches: it => !/\.(root|e2e|alone|long)\.test\.ts$/.test(it),
    missing: async () => null,
  },
  { name: 'e2e', queue: 1, matches: it => it.endsWith('.e2e.test.ts'), missing: needsRoot },
  { name: 'root', queue: 1, matches: it => it.endsWith('.root.test.ts'), missing: needsRoot },
  // Counts what the whole machine has, so nothing else may come and go.
  { name: 'alone', queue: 2, matches: it => it.endsWith('.alone.test.ts'), missing: needsRoot },
  // Minutes of machines more: asked for by name, or all with `npm run test:all`.
  { name: 'long', queue: 1, matches: it => it.endsWith('.long.test.ts'), missing: needsRoot },
]

type Result = { file: string; passed: number; failed: number; output: string }

async function needsRoot(): Promise<string | null> {
  if (process.platform !== 'linux') return 'it needs Linux (network namespaces)'
  if (process.getuid?.() !== 0) return 'it needs root (network namespaces, sshd, squid, ufw)'
  const { code, output } = await run([join(root, 'src/sandbox/main.ts'), 'packages'])
  return code === 0 ? null : `Debian packages are missing: ${output.trim().split('\n').slice(-3).join(' ')}`
}

function run(args: string[], limitMs = testLimitMs): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const parts: Buffer[] = []
    child.stdout.on('data', it => parts.push(it))
    child.stderr.on('data', it => parts.push(it))
    const timer = setTimeout(() => {
      parts.push(Buffer.from(`\nnot ended within ${limitMs / 1000} s: killed\n`))
      child.kill('SIGKILL')
    }, limitMs)
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code: code ?? 1, output: Buffer.concat(parts).toString() })
    })
  })
}

/** A file's counts are uvu's; a file that fails outside its tests, or has none, counts as one failure. */
const runFile = async (file: string): Promise<Result> => {
  const { code, output } = await run([file], file.endsWith('.long.test.ts') ? longLimitMs : testLimitMs)
  const plain = output.replace(/\u001b\[[0-9;]*m/g, '')
  const count = (word: string) => Number(new RegExp(`^\\s*${word}:\\s+(\\d+)`, 'm').exec(plain)?.[1] ?? 0)
  const total = count('Total')
  const passed = count('Passed')
  const failed = Math.max(total - passed, code !== 0 || total === 0 ? 1 : 0)
  return { file, passed, failed, output }
}

const runSide = async (files: string[], side: number): Promise<Result[]> => {
  const results: Result[] = []
  const queue = [...files]
  const worker = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const began = Date.now()
      const result = await runFile(file)
      results.push(result)
      const sign = result.failed > 0 ? '✖' : '✔'
      console.log(
        `${sign} ${relative(root, file)}  ${result.passed} passed (${((Date.now() - began) / 1000).toFixed(1)} s)`,
      )
      if (result.failed > 0) console.log(result.output)
      // What a file leaves out on this machine, and why; or how often it did what it is about.
      else for (const line of result.output.match(/^(skipped|counted), .*$/gm) ?? []) console.log(`  - ${line}`)
    }
  }
  await Promise.all(Array.from({ length: side }, worker))
  return results
}

const asked = process.argv.slice(2)
const wanted = asked.filter(it => tiers.some(({ name }) => name === it))
const parts = asked.filter(it => !wanted.includes(it))
const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter(it => it.endsWith('.test.ts') && (parts.length === 0 || parts.some(part => it.includes(part))))
  .sort()
  .map(it => join(root, 'test', it))
const results: Result[] = []
const leftOut: string[] = []
const toRun: [string[], string[], string[]] = [[], [], []]
for (const { name, queue, matches, missing } of tiers) {
  const files = all.filter(matches)
  if ((wanted.length > 0 && !wanted.includes(name)) || files.length === 0) continue
  const why = name === 'long' && !wanted.includes(name) ? 'minutes more, with npm run test:all' : await missing()
  if (why) leftOut.push(`tier ${name} was left out (${files.length} files): ${why}`)
  else toRun[queue].push(...files)
}
if (toRun[1].length + toRun[2].length > 0) {
  for (const it of await removeLeftovers()) console.log(`- removed ${it}, which a killed run left`)
}
// Both mostly wait. Those with machines of their own do not share the clock with tests that count milliseconds.
const cores = availableParallelism()
results.push(...(await runSide(toRun[0], Math.min(4, cores + 2))))
results.push(...(await runSide(toRun[1], Math.min(5, cores + 2))), ...(await runSide(toRun[2], 1)))
const passed = results.reduce((sum, it) => sum + it.passed, 0)
const strict = process.env.CI === 'true' && process.platform === 'linux' && process.getuid?.() === 0
const lacking = leftOut.filter(it => !it.startsWith('tier long'))
const failed = results.reduce((sum, it) => sum + it.failed, 0) + (strict ? lacking.length : 0)
for (const line of leftOut) console.log(strict && lacking.includes(line) ? `✖ ${line}` : `- ${line}`)
if (passed === 0) console.log('no test was run: that is a failure')
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
