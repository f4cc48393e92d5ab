import { readdirSync, readFileSync, statSync } from 'node:fs'

/** What one process has taken so far: processor time, and the memory it has now. */
export type Spent = { cpuMs: number; rssMb: number }

/**
 * Each Squid of a network namespace by the port in its configuration's name (ours: 3128), and what helps it: `squid`,
 * and by their names `policy-helper`, `log_file_daemon`.
 */
export const spent = (netns: string): Map<number, Record<string, Spent>> => {
  const inode = statSync(`/run/netns/${netns}`).ino
  const all = readdirSync('/proc').flatMap(pid => (/^\d+$/.test(pid) ? [lookAt(pid, inode)].filter(it => !!it) : []))
  const found = new Map<number, Record<string, Spent>>()
  for (const kid of all.filter(it => it.words[0] === '(squid-1)')) {
    const port = Number(kid.words.join(' ').match(/other-(\d+)\.conf/)?.[1] ?? 3128)
    const helpers = all.filter(it => it.parent === kid.pid)
    found.set(port, {
      squid: kid.spent,
      ...Object.fromEntries(helpers.map(it => [nameOf(it.words), it.spent])),
    })
  }
  return found
}

const nameOf = (words: string[]) =>
  words.find(it => it.includes('policy-helper')) ? 'policy-helper' : words[0]!.replace(/[()]/g, '').replace(/.*\//, '')

const lookAt = (pid: string, inode: number) => {
  try {
    if (statSync(`/proc/${pid}/ns/net`).ino !== inode) return
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const number = (key: string) => Number(status.match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))?.[1] ?? 0)
    // Nanoseconds on a processor: /proc/PID/stat counts in hundredths of a second.
    const cpuMs = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    return { pid: Number(pid), parent: number('PPid'), words, spent: { cpuMs, rssMb: number('VmRSS') / 1024 } }
  } catch {
    // It has ended meanwhile.
    return
  }
}
