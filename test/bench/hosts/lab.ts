import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostAddress } from '../../../src/hosts/address.ts'
import { newHostKey } from '../../../src/hosts/cloud-init.ts'
import { makeHost, type TestHost } from '../../support/host.ts'
import { type File, type Job, range } from './job.ts'

/** What one host should have, for a process that reads a list of these. */
export type Wish = { host: HostAddress; files: File[] }

/** Hosts h1, h2 ... with Debian's PAM at every login, and what clients need to know of them, in `directory`. */
export type Lab = {
  directory: string
  hosts: TestHost[]
  /** Makes hosts until there are so many; those that are there stay as they are. */
  grow(to: number): Promise<void>
  /** Writes what the first `n` hosts should have, and returns the file's path. */
  wish(n: number, job: Job, lifetime: number): string
  down(): Promise<void>
}

export const openLab = async (): Promise<Lab> => {
  const directory = mkdtempSync(join(tmpdir(), 'kapsule-egress-lab-'))
  // In memory, so that it may be a layer beside this machine's disk.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'ke-lab', directory])
  const over = asOnAServer(directory)
  const hosts: TestHost[] = []
  const operator = newHostKey('operator')
  const first = range.split('/')[0]!
  const addressOf = (it: TestHost, n: number) => ({ ...it.address, name: `h${n + 1}` })
  return {
    directory,
    hosts,
    async grow(to) {
      while (hosts.length < to)
        hosts.push(await makeHost(hosts.length, { first, over, operator, sshd: 'UsePAM yes\nPrintMotd no\n' }))
    },
    wish(n, job, lifetime) {
      const wishes = hosts.slice(0, n).map((it, at): Wish => {
        const host = addressOf(it, at)
        return { host, files: job(host.name, lifetime) }
      })
      const file = join(directory, `wish-${n}-${lifetime}.json`)
      writeFileSync(file, JSON.stringify(wishes))
      return file
    },
    async down() {
      await Promise.all(hosts.map(it => it.down()))
      execFileSync('umount', ['--lazy', directory])
      rmSync(directory, { recursive: true })
    },
  }
}

/**
 * What a container image lacks, as files over this machine's: the cache of apt, whose absence costs Ansible seconds, and
 * the links that start Squid at a boot, which it would try to make in every run.
 */
const asOnAServer = (directory: string): string => {
  const over = join(directory, 'over')
  for (const it of ['etc/apt/apt.conf.d', 'var/cache/apt']) mkdirSync(join(over, it), { recursive: true })
  writeFileSync(join(over, 'etc/apt/apt.conf.d/docker-clean'), '')
  for (const level of [2, 3, 4, 5]) {
    mkdirSync(join(over, `etc/rc${level}.d`))
    symlinkSync('../init.d/squid', join(over, `etc/rc${level}.d/S01squid`))
  }
  const cache = join(over, 'var/cache/apt')
  execFileSync(
    'apt-cache',
    [
      '-o',
      `Dir::Cache=${cache}`,
      '-o',
      'Dir::Cache::pkgcache=pkgcache.bin',
      '-o',
      'Dir::Cache::srcpkgcache=srcpkgcache.bin',
      'gencaches',
    ],
    { stdio: 'ignore' },
  )
  return over
}

/** The files as they stand on a host, with their rights, what is in force, and whether Squid listens. */
export const standing = (host: TestHost, files: File[]): string =>
  host.sh(
    `for p in ${files.map(it => it.path).join(' ')}; do stat -c '%a %U %G %n' $p; sha256sum <$p; done
iptables -S | sort; ip6tables -S | sort
grep -q ':0C38 .* 0A ' /proc/net/tcp /proc/net/tcp6 && echo listens`,
  )
