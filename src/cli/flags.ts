import { parseArgs } from 'node:util'
import { nearest } from '../engine/nearest.ts'
import { Problem } from '../engine/problem.ts'
import { type CommandSpec, commands } from './commands.mjs'

/** Every flag of every command, checked; what a command does not take is absent. */
export type Flags = {
  context: string
  json: boolean
  verbose: boolean
  check: boolean
  diff: boolean
  yes: boolean
  force: boolean
  limit?: string
  tags?: string[]
  /** true: the last run; a string: that run. */
  resume?: true | string
  to?: string
  run?: string
  host?: string
  list?: boolean
  /** An inventory of Ansible. */
  from?: string
  render?: string
  /** Where evidence is written. */
  evidence?: string
  /** Ids that may be replaced although others live in them. */
  replace: string[]
  prune: boolean
  out?: string
  plan?: string
  since?: string
  tenant?: string
  format?: string
  output?: string
  /** Copies of audit logs. */
  log: string[]
  method?: string
  proxy?: string
  /** A duration. */
  within?: string
  undo: boolean
  /** What stands is told by the cluster, not by a journal. */
  fromCluster: boolean
  pause: boolean
  promote: boolean
  abort: boolean
  watch: boolean
  /** Addresses that a name is taken to have. */
  resolve?: string[]
  /** What stands without a flag, for commands that take it. */
  operands?: string[]
}

/** Reads a command's flags. Throws a Problem with exit 2 for anything it does not know. */
export const parse = (command: string, argv: readonly string[], env = process.env): { flags: Flags } => {
  const spec = commands[command]
  if (!spec) throw new Error(`no command ${command}`)
  const values = valuesOf(command, spec, argv)
  const text = (name: string) => (typeof values[name] === 'string' ? (values[name] as string) : undefined)
  const is = (name: string) => values[name] === true
  const optional = {
    limit: text('limit'),
    to: text('to'),
    run: text('run'),
    host: text('host'),
    from: text('from'),
    render: text('render'),
    evidence: text('evidence'),
    out: text('out'),
    plan: text('plan'),
    since: text('since'),
    tenant: text('tenant'),
    format: text('format'),
    output: text('output'),
    method: text('method'),
    proxy: text('proxy'),
    within: text('within'),
    resolve: Array.isArray(values.resolve) ? values.resolve.flatMap(it => wordsIn(String(it))) : undefined,
    operands: spec.operands ? (values[operandsKey] as string[]) : undefined,
  }
  return {
    flags: {
      context: text('context') ?? (env.EGRESS_CONTEXT || 'sandbox'),
      json: is('json'),
      verbose: is('verbose'),
      check: is('check'),
      diff: is('diff'),
      yes: is('yes'),
      force: is('force'),
      list: is('list'),
      prune: is('prune'),
      undo: is('undo'),
      fromCluster: is('from-cluster'),
      pause: is('pause'),
      promote: is('promote'),
      abort: is('abort'),
      watch: is('watch'),
      replace: Array.isArray(values.replace) ? values.replace.flatMap(it => wordsIn(String(it))) : [],
      log: Array.isArray(values.log) ? values.log.map(String) : [],
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      ...(text('tags') && { tags: wordsIn(text('tags')!) }),
      ...(values.resume === '' ? { resume: true as const } : text('resume') && { resume: text('resume')! }),
    },
  }
}

/** No flag is named so. */
const operandsKey = ' '

const wordsIn = (text: string): string[] =>
  text
    .split(',')
    .map(it => it.trim())
    .filter(Boolean)

const valuesOf = (command: string, spec: CommandSpec, argv: readonly string[]): Record<string, unknown> => {
  const options = Object.fromEntries(
    Object.entries(spec.flags).map(([name, { type }]) => [
      name,
      { type: type === 'boolean' ? 'boolean' : 'string', multiple: type === 'list' } as const,
    ]),
  )
  const args = withOptionalValues(spec, argv)
  const { values, tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const seen = new Set<string>()
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional' && spec.operands) operands.push(token.value)
    else if (token.kind === 'positional') throw unexpected(command, token.value)
    if (token.kind !== 'option') continue
    const known = spec.flags[token.name]
    if (!known || !token.rawName.startsWith('--')) throw unknownFlag(command, token.rawName, Object.keys(spec.flags))
    if (seen.has(token.name) && known.type !== 'boolean' && known.type !== 'list') throw twice(token.rawName)
    seen.add(token.name)
    if (known.type === 'boolean' && token.value !== undefined) throw tooMuch(token.rawName, token.value)
    if (takesValue(known) && (token.value === undefined || token.value === ''))
      throw tooLittle(token.rawName, known.value ?? 'VALUE')
    if (takesValue(known) && !token.inlineValue && token.value?.startsWith('--'))
      throw tooLittle(token.rawName, known.value ?? 'VALUE')
  }
  return { ...values, [operandsKey]: operands }
}

const takesValue = ({ type }: CommandSpec['flags'][string]) => type === 'string' || type === 'list'

/** parseArgs knows no optional values: `--resume` alone becomes `--resume=`. */
const withOptionalValues = ({ flags }: CommandSpec, argv: readonly string[]): string[] => {
  const args: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    const next = argv[at + 1]
    if (word.startsWith('--') && flags[word.slice(2)]?.type === 'optional') {
      const takes = next !== undefined && !next.startsWith('-')
      args.push(takes ? `${word}=${next}` : `${word}=`)
      if (takes) at++
    } else args.push(word)
  }
  return args
}

const bad = (what: string, why: string, next: string) =>
  new Problem(what, { why, next: `${next}; nothing was touched`, exit: 2 })

const unknownFlag = (command: string, flag: string, known: string[]) => {
  const near = nearest(flag.replace(/^-+/, ''), known)
  const hint = near ? `did you mean --${near}?` : 'see --help'
  return bad(`unknown flag ${flag}`, `${command} takes ${known.map(it => `--${it}`).join(', ')}`, hint)
}

const unexpected = (command: string, word: string) =>
  bad(`unexpected argument ${JSON.stringify(word)}`, `${command} takes flags only`, 'see --help')

const tooMuch = (flag: string, value: string) =>
  bad(`${flag} takes no value`, `it was given ${JSON.stringify(value)}`, `say ${flag} alone`)

const tooLittle = (flag: string, value: string) =>
  bad(`${flag} needs a value`, 'none was given', `say ${flag} ${value}`)

const twice = (flag: string) => bad(`${flag} is there twice`, 'only one value can count', 'leave one out')
