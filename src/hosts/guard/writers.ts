import { leadsToKeys } from './homes.ts'
import { cutsOff } from './kernel.ts'
import { type Zone, zoneOfPath } from './zones.ts'

/** A call that a command visibly makes, and the zone that has to guard it; null: nothing could take it back. */
export type Call = { call: string; zone: Zone | null }

/** What a simple command writes, by a redirection or as its own work, where that could cut us off. */
export const writtenBy = (words: string[]): Call[] => {
  const calls: Call[] = []
  const found = (call: string, zone: Zone | null) => {
    if (zone) calls.push({ call: call.slice(0, 80), zone })
  }
  words.forEach((word, n) => {
    const redirected = /^\d*>[>|]?(.*)$/.exec(word)?.[1]
    if (redirected !== undefined) found(`>${redirected || words[n + 1]}`, zoneOf(redirected || (words[n + 1] ?? '')))
  })
  const [name = '', ...rest] = called(words)
  for (const { names, paths, rights } of writers)
    for (const it of names.test(name) ? paths(rest) : [])
      found([name, ...rest].join(' '), zoneOf(it) ?? (rights && leadsToKeys(plain(it)) ? 'login' : null))
  return calls
}

/** The program and its words, without what it is called through. */
export const called = (words: string[]): string[] => {
  const at = words.findIndex(it => !behind.test(it))
  return at < 0 ? [] : [words[at]!.replace(/^.*\/s?bin\//, ''), ...words.slice(at + 1)]
}

const behind =
  /^(sudo|exec|nohup|setsid|systemd-run|env|nice|time|timeout|xargs|sh|bash|then|else|do|if|!|while|until|-.*|[\d.]+[smh]?|\w+=.*)$/

const plain = (path: string) =>
  path
    .replace(/^(~|\$HOME)(?=\/|$)/, '/root')
    .replace(/\/+/g, '/')
    .replace(/(?<=.)\/$/, '')
const zoneOf = (path: string): Zone | null => {
  const setting = /^\/proc\/sys\/(.*)/.exec(plain(path))?.[1]
  if (setting !== undefined) return cutsOff(setting) ? 'network' : null
  return zoneOfPath(plain(path))
}

const words = (rest: string[]) => rest.filter(it => !/^(-|\d*[<>])/.test(it))
const last = (rest: string[]) => [rest[rest.indexOf('-t') + 1 || rest.length] ?? '', words(rest).at(-1) ?? '']

const writers: { names: RegExp; paths: (rest: string[]) => string[]; rights?: true }[] = [
  { names: /^(tee|truncate|mv|unlink)$/, paths: words },
  { names: /^(chmod|chown|chgrp|setfacl|rm|rmdir)$/, paths: words, rights: true },
  { names: /^install$/, paths: rest => (rest.some(it => /^-\w*d/.test(it)) ? words(rest) : []), rights: true },
  { names: /^(cp|install|ln|rsync)$/, paths: last },
  { names: /^(sed|perl)$/, paths: rest => (rest.some(it => /^(-\w*i|--in-place)/.test(it)) ? words(rest) : []) },
  { names: /^dd$/, paths: rest => rest.filter(it => it.startsWith('of=')).map(it => it.slice(3)) },
]
