import { isIPv4 } from 'node:net'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { admit, isUp, status } from './reach.ts'
import type { Status } from './status.ts'
import { Trouble } from './trouble.ts'

const help = `The embedded cloud of kapsule-egress: emulated APIs over hosts made of namespaces.

  up [--quiet]           start it, or do nothing (and say nothing) when it is up
  down                   remove everything it made
  status [--json]        where things are
  exec HOST -- CMD...    run a command on a host; pods are NAMESPACE/POD or POD
  partner [ADDRESS...]   whom the partner admits: addresses or ranges (none: nobody)
  conditions [FILE|-]    show what goes wrong in the emulated Scaleway, or set it from JSON;
                         --clear first makes all well again
  packages               install the Debian packages it needs

  --root DIR   state directory (default: EGRESS_SANDBOX_DIR, else .egress/.sandbox of this checkout)
`

const projectRoot = join(import.meta.dirname, '..', '..')
const say = (line: string) => void process.stderr.write(`${line}\n`)
/** With this very Node: an older one on the operator's PATH reads no TypeScript. */
const commandFor = (verb: string, directory: string) =>
  `${process.execPath} ${join(import.meta.dirname, 'main.ts')} ${verb} --root ${directory}`

/** The command; gives its exit code. 0 done, 1 failed, 2 bad arguments, and for exec what the command gave. */
export const main = async (argv: string[]): Promise<number> => {
  try {
    return await dispatch(argv)
  } catch (thrown) {
    if (!(thrown instanceof Trouble)) throw thrown
    say(thrown.lines())
    return thrown.exit
  }
}

const dispatch = async (argv: string[]): Promise<number> => {
  const split = argv.indexOf('--')
  const { values, positionals } = read(split < 0 ? argv : argv.slice(0, split))
  const [verb, ...rest] = positionals
  if (values.help || !verb) {
    process.stdout.write(help)
    return values.help ? 0 : 2
  }
  const directory = resolve(values.root ?? process.env.EGRESS_SANDBOX_DIR ?? join(projectRoot, '.egress', '.sandbox'))
  const upCommand = commandFor('up', directory)
  const show = (it: Status) => process.stdout.write(values.json ? `${JSON.stringify(it)}\n` : text(it))
  switch (verb) {
    case 'up': {
      const running = await isUp(directory)
      if (!running) await (await import('./up.ts')).up(directory, commandFor, say)
      if (values.json) show(await status(directory, upCommand))
      else if (!running || !values.quiet)
        say(`sandbox is up${running ? ' already' : ''}: ${directory} (scw.yaml, id_ed25519, ca.pem)`)
      return 0
    }
    case 'down': {
      const { teardown } = await import('./machines/teardown.ts')
      say((await teardown(directory)) ? `sandbox is down: ${directory}` : 'there is no sandbox')
      return 0
    }
    case 'status':
      show(await status(directory, upCommand))
      return 0
    case 'partner': {
      const wrong = rest.join() === 'none' ? undefined : rest.find(it => !isRange(it))
      if (wrong !== undefined) {
        const next = 'partner 203.0.113.100, or: partner none'
        throw new Trouble(`the partner cannot admit ${wrong}`, { why: 'it is no IPv4 address or range', next, exit: 2 })
      }
      const now =
        rest.length === 0
          ? await status(directory, upCommand)
          : await admit(directory, upCommand, rest[0] === 'none' ? [] : rest)
      process.stdout.write(`${now.internet.partner.admits ?? 'none'}\n`)
      return 0
    }
    case 'exec': {
      const { execOnHost } = await import('./exec-host.ts')
      const command = split < 0 ? rest.slice(1) : argv.slice(split + 1)
      return execOnHost(await status(directory, upCommand), rest[0] ?? '', command)
    }
    case 'conditions': {
      const { scaleway } = await status(directory, upCommand)
      const { changeWeather } = await import('./weather.ts')
      const now = await changeWeather(scaleway.url, rest[0] ?? null, values.clear ?? false)
      process.stdout.write(`${JSON.stringify(now, null, 2)}\n`)
      return 0
    }
    case 'packages':
      await (await import('./debian.ts')).ensurePackages(say)
      return 0
    default:
      throw new Trouble(`${verb} is not a command of the sandbox`, { why: 'see --help', next: '--help', exit: 2 })
  }
}

const isRange = (text: string): boolean => {
  const [address = '', bits = '32', ...more] = text.split('/')
  return isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && more.length === 0
}

const read = (args: string[]) => {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        root: { type: 'string' },
        json: { type: 'boolean' },
        quiet: { type: 'boolean' },
        clear: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (thrown) {
    throw new Trouble('the sandbox did not understand', { why: (thrown as Error).message, next: '--help', exit: 2 })
  }
}

const text = ({ scaleway, kubernetes, hosts, internet, daemon }: Status): string => {
  const rows = hosts.map(
    it => `  ${it.name.padEnd(36)} ${it.kind.padEnd(9)} ${it.netns.padEnd(40)} ${it.addresses.join(' ')}`,
  )
  const { partner } = internet
  return `${[
    `scaleway    ${scaleway.url}  (${scaleway.config})`,
    `kubernetes  ${kubernetes.kubeconfig ?? 'no cluster yet'}`,
    `internet    ${internet.whatIsMyIp[0]}, name server ${internet.dns}, CA ${internet.ca}`,
    `partner     ${partner.url} admits ${partner.admits ?? 'nobody'}`,
    `daemon      process ${daemon.pid}`,
    'hosts',
    ...rows,
  ].join('\n')}\n`
}

if (import.meta.main) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  process.exitCode = await main(process.argv.slice(2))
}
