import { firstWord, programs } from './programs.ts'
import { type Call, called, writtenBy } from './writers.ts'
import type { Zone } from './zones.ts'

/**
 * What a command visibly does to firewall, network, sshd or logins, wherever in it: behind sudo, in `sh -c '...'`, in
 * a loop. Calls that only look are none. What a script does that it runs is not seen.
 */
export const visibleCalls = (run: string): Call[] => {
  const seen = new Map<string, Call>()
  for (const all of simpleCommands(run)) {
    for (const it of writtenBy(all)) seen.set(`${it.call} ${it.zone}`, it)
    const words = namesOnly.test(all[0]!) ? [] : all
    if (goesDown(words)) seen.set('down', { call: words.join(' ').slice(0, 80), zone: null })
    words.forEach((word, n) => {
      const name = word.replace(/^.*\/(s?bin|init\.d)\//, (_, folder) => (folder === 'init.d' ? 'init.d/' : ''))
      const rest = words.slice(n + 1)
      for (const { names, zone } of programs) {
        const found = names.test(name) ? zone(rest, name) : null
        if (found) seen.set(`${name} ${found}`, { call: [name, ...rest].join(' ').slice(0, 80), zone: found })
      }
    })
  }
  return [...seen.values()]
}

/** Which of several words cover a zone. */
export const covers = (guard: readonly Zone[], zone: Zone | null): boolean =>
  zone !== null && (guard.includes(zone) || ((zone === 'ufw' || zone === 'firewalld') && guard.includes('firewall')))

/** Words of each simple command, without quotes, comments and lines that go on. In quotes a # begins no comment. */
const simpleCommands = (run: string): string[][] =>
  run
    .replace(/\\\n/g, ' ')
    .replace(/("(?:[^"\\]|\\[\s\S])*"|'[^']*')|(^|\s)#.*$/gm, (_, quoted) => quoted ?? '')
    .split(/[\n;&|(){}`]|\$\(/)
    .map(it => it.replace(/["']/g, ' ').split(/\s+/).filter(Boolean))
    .map(words => (words[0] === 'command' && !/^-[vV]/.test(words[1] ?? '') ? words.slice(1) : words))
    .filter(([first]) => first !== undefined)

// What follows them is a name and no call.
const namesOnly =
  /^(echo|printf|grep|cat|ls|test|\[|command|which|type|apt|apt-get|apt-cache|dpkg|dpkg-query|dnf|rpm|zypper)$/

const goesDown = (words: string[]): boolean => {
  const [name = '', ...rest] = called(words)
  if (/^(reboot|poweroff|halt)$/.test(name)) return !rest.includes('--help')
  if (name === 'shutdown') return !rest.includes('-c')
  if (/^(tel)?init$/.test(name)) return /^[016sS]$/.test(firstWord(rest))
  const downs = /^(reboot|poweroff|halt|kexec|soft-reboot|rescue|emergency|suspend|hibernate|isolate)$/
  return name === 'systemctl' && downs.test(firstWord(rest))
}
