import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { $, chalk } from 'zx'

// What every runbook needs. zx gives no arguments to a runbook that it has not read itself, and reads them loosely.

const root = dirname(dirname(import.meta.dirname))
const bin = join(root, 'node_modules/.bin')
const zx = join(bin, 'zx')

/** Ends the runbook with an exit code, without a stack that nobody needs at night. */
class Stop extends Error {
  [inspect.custom]() {
    return chalk.red(this.message)
  }
}

/** @param {number} code @param {string} message @returns {never} */
const stop = (code, message) => {
  // zx itself knows 1 alone.
  process.once('exit', () => {
    process.exitCode = code
  })
  throw new Stop(message)
}

/**
 * What a runbook is told, strictly, and its ways to act. `needs`: flags that must be there; `may`: that may. An unknown
 * flag, a missing one or a word that no flag takes ends it (exit 2) before anything is looked at.
 * @param {{ needs?: string[], may?: string[] }} words
 */
export const begin = ({ needs = [], may = [] } = {}) => {
  const known = [...needs, ...may, 'context']
  const usage = `flags: ${known.map(it => `--${it} NAME${needs.includes(it) ? '' : ' (may be left out)'}`).join(', ')}`
  const told = readFlags(known, needs, usage)
  const context = told.context ?? process.env.EGRESS_CONTEXT ?? 'sandbox'
  // Inside a runbook the programs of the project come first, whatever machine and folder it is run from.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  if (!existsSync(zx)) stop(1, `${zx} is not there: run npm ci in ${root} first; nothing was touched`)
  let number = 0

  /** @param {string} script @param {string[]} args @param {readonly number[]} good */
  const run = async (script, args, good) => {
    const words = [zx, join(root, 'scripts', script), '--context', context, ...args]
    const { exitCode } = await $({ cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'], nothrow: true })`${words}`
    if (exitCode !== null && good.includes(exitCode)) return exitCode
    return stop(exitCode ?? 1, `stopped: ${script} ended with ${exitCode}; steps after it were not begun`)
  }
  /** @param {string} title */
  const announce = title => console.log(chalk.bold(`\n${++number}. ${title}`))

  return {
    told,
    announce,
    stop,
    /** One command of scripts/; anything but exit code 0 ends the runbook with that code. @param {string[]} words */
    async step(/** @type {string} */ title, /** @type {string} */ script, ...words) {
      announce(title)
      await run(script, words, [0])
    },
    /** The same with --check: true where something would change. @param {string[]} words */
    async wouldChange(/** @type {string} */ title, /** @type {string} */ script, ...words) {
      announce(title)
      return (await run(script, [...words, '--check', '--diff'], [0, 3])) === 3
    },
    /** What one says with --json, as its events. @param {string[]} words @returns {Promise<any[]>} */
    async ask(/** @type {string} */ script, ...words) {
      const all = [zx, join(root, 'scripts', script), '--context', context, ...words, '--json']
      const { exitCode, stdout, stderr } = await $({ cwd: root, env, quiet: true, nothrow: true })`${all}`
      if (exitCode !== 0) stop(exitCode ?? 1, `stopped: ${script} ended with ${exitCode}\n${stderr}`)
      return stdout
        .split('\n')
        .filter(it => it.startsWith('{'))
        .map(it => JSON.parse(it))
    },
  }
}

/** @param {string[]} known @param {string[]} needs @param {string} usage @returns {Record<string, string | undefined>} */
const readFlags = (known, needs, usage) => {
  if (process.argv.slice(3).includes('--help')) stop(0, usage)
  const options = Object.fromEntries(known.map(it => [it, { type: /** @type {const} */ ('string') }]))
  try {
    // The runbook itself is the first word.
    const { values } = parseArgs({ args: process.argv.slice(3), options, strict: true, allowPositionals: false })
    const missing = needs.filter(it => !values[it])
    if (missing.length === 0) return values
    return stop(2, `missing: ${missing.map(it => `--${it}`).join(', ')}\n${usage}\nnothing was touched`)
  } catch (error) {
    if (error instanceof Stop) throw error
    return stop(2, `${error instanceof Error ? error.message : error}\n${usage}\nnothing was touched`)
  }
}
