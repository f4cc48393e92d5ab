// Plain JavaScript and no imports of weight: it runs under any Node, answers --help at once, and hands over.
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { helpOf } from './commands.mjs'
import { stayLight } from './heap.mjs'
import { inPlace, obeyLauncher } from './relay.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const wanted = 24

/**
 * Runs one command, started as `zx scripts/x`, `npx zx scripts/x` or `node scripts/x`, from any directory.
 * @param {string} name
 */
export const start = async name => {
  const script = name === 'rollback' ? 'rollback.ts' : `${name}.mjs`
  const argv = argumentsOf(script, process.argv)
  const own = name === 'sandbox' ? argv[0] === undefined || argv[0] === '--help' : beforeDashes(argv).includes('--help')
  if (own) {
    process.stdout.on('error', () => {}) // `--help | head -1`
    process.stdout.write(helpOf(name))
    return
  }
  if (Number.parseInt(process.versions.node, 10) < wanted) {
    process.exitCode = await again(join(root, 'scripts', script), argv)
    return
  }
  obeyLauncher()
  module.enableCompileCache?.()
  if (name === 'sandbox') {
    const { main } = await import('../sandbox/main.ts')
    process.exitCode = await main(argv)
    return
  }
  stayLight()
  const { main } = await import('./main.ts')
  process.exitCode = await main(name, argv)
}

/**
 * What comes after the script's own name, wherever the runner put that: zx may have flags of its own before it.
 * @param {string} script @param {string[]} argv
 */
export const argumentsOf = (script, argv) => {
  const at = argv.findIndex((it, index) => index > 0 && basename(it) === script)
  return argv.slice(at < 0 ? 2 : at + 1)
}

/** @param {string[]} argv */
const beforeDashes = argv => (argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv)

/**
 * The same command under the Node that the project brings along: the system's is too old for TypeScript.
 * @param {string} script @param {string[]} argv
 */
const again = async (script, argv) => {
  const node = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(node)) return inPlace(node, [script, ...argv])
  process.stderr.write(
    `✖ Node ${wanted} or newer is needed\n  why   this is Node ${process.versions.node}, and ${node} is not there\n  next  npm ci (without --omit=optional), or install Node ${wanted}\n`,
  )
  return 2
}
