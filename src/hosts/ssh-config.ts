import { globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { Problem } from '../engine/problem.ts'
import { matchesPatterns } from './known-hosts.ts'
import { type Line, refuseForeign } from './ssh-config-foreign.ts'

/** What a config file says of one host; `identityFile` adds up, of all others the first counts. Paths are whole. */
export type SshSettings = {
  hostName?: string
  user?: string
  port?: number
  identityFile: string[]
  userKnownHostsFile?: string[]
  hostKeyAlias?: string
  identityAgent?: string
  compression?: boolean
  /** In the order they are passed: `bastion`, `user@bastion:61000`. Empty: none. */
  proxyJump?: string[]
}
type Block = { applies: (alias: string) => boolean; lines: Line[] }
export type SshConfig = { blocks: Block[]; home: string }

/**
 * OpenSSH's client configuration, as far as we follow it: Host with patterns, Match all|host|originalhost, Include. Our
 * own reader, because `ssh -G` may be missing and runs the commands that `Match exec` names. @see ssh_config(5)
 */
export const readSshConfig = (path: string, home = homedir()): SshConfig => ({
  blocks: blocksOf(path, home, () => true, 0),
  home,
})

const blocksOf = (path: string, home: string, applies: Block['applies'], depth: number): Block[] => {
  const blocks: Block[] = [{ applies, lines: [] }]
  for (const [n, line] of textOf(path).split('\n').entries()) {
    const found = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line)
    if (!found) continue
    const [, name = '', value = ''] = found
    const key = name.toLowerCase()
    const place = `${path}:${n + 1}`
    if (key === 'host') {
      const patterns = wordsOf(value)
      blocks.push({ applies: alias => applies(alias) && matchesPatterns(patterns, alias), lines: [] })
    } else if (key === 'match') {
      const fits = matching(wordsOf(value))
      blocks.push({ applies: alias => applies(alias) && fits(alias), lines: [] })
    } else if (key === 'include') {
      if (depth > 8) throw new Problem(`${place}: files include each other`, { why: value, next: 'undo that', exit: 2 })
      const around = blocks.at(-1)!.applies
      const files = wordsOf(value).flatMap(it => globSync(whole(it, home, dirname(path))).sort())
      blocks.push(...files.flatMap(it => blocksOf(it, home, around, depth + 1)), { applies: around, lines: [] })
    } else blocks.at(-1)!.lines.push({ key, value, place })
  }
  return blocks
}

/** `exec` and what else is not known here never fits: nothing is run to find out how to reach a host. */
const matching = (words: string[]): Block['applies'] => {
  const [word = '', patterns = '', ...more] = words
  if (/^all$/i.test(word)) return () => true
  if (!/^(original)?host$/i.test(word) || more.length) return () => false
  return alias => matchesPatterns(patterns.split(','), alias)
}

/** Everything the file says of a host by the name it is called. Throws where it asks for what we do not do. */
export const settingsFor = ({ blocks, home }: SshConfig, alias: string): SshSettings => {
  const lines = blocks.filter(it => it.applies(alias)).flatMap(it => it.lines)
  const first = (key: string) => lines.find(it => it.key === key)
  const text = (key: string) => wordsOf(first(key)?.value ?? '')[0]
  const hostName = text('hostname')?.replaceAll('%h', alias).replaceAll('%%', '%')
  const path = (it: string) =>
    whole(
      it.replace(/%([dhnu%])/g, (_, letter: string) =>
        letter === 'd'
          ? home
          : letter === '%'
            ? '%'
            : letter === 'h'
              ? (hostName ?? alias)
              : letter === 'n'
                ? alias
                : '',
      ),
      home,
    )
  refuseForeign(lines, alias)
  // Of the two ways through something else, the first counts.
  const way = lines.find(it => it.key === 'proxycommand' || it.key === 'proxyjump')
  const jump = way?.key === 'proxyjump' ? wordsOf(way.value)[0] : undefined
  const port = text('port')
  const knownHosts = first('userknownhostsfile')
  const agent = text('identityagent')
  const compression = text('compression')
  return {
    ...(hostName && { hostName }),
    ...(text('user') && { user: text('user')! }),
    ...(port && { port: Number(port) }),
    identityFile: [
      ...new Set(
        lines
          .filter(it => it.key === 'identityfile')
          .map(it => wordsOf(it.value)[0]!)
          .filter(it => !/^none$/i.test(it))
          .map(path),
      ),
    ],
    ...(knownHosts && {
      userKnownHostsFile: wordsOf(knownHosts.value)
        .filter(it => !/^none$/i.test(it))
        .map(path),
    }),
    ...(text('hostkeyalias') && { hostKeyAlias: text('hostkeyalias')! }),
    ...(agent && agent !== 'SSH_AUTH_SOCK' && { identityAgent: /^none$/i.test(agent) ? 'none' : path(agent) }),
    ...(compression && { compression: /^yes$/i.test(compression) }),
    ...(jump && { proxyJump: /^none$/i.test(jump) ? [] : jump.split(',') }),
  }
}

const wordsOf = (value: string): string[] =>
  [...value.replace(/(^|\s)#.*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(it => it[1] ?? it[2]!)

const whole = (path: string, home: string, base = join(home, '.ssh')): string => {
  if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1))
  return isAbsolute(path) ? path : join(base, path)
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
