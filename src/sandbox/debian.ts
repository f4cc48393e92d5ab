import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { run } from './machines/run.ts'
import { Trouble } from './trouble.ts'

/** Debian packages by what shows that they are there; any system with these files will do. */
const needed: [string, string][] = [
  ['iproute2', 'ip'],
  ['nftables', 'nft'],
  ['iptables', 'iptables'],
  ['openssh-server', 'sshd'],
  ['openssh-client', 'ssh-keygen'],
  ['squid', 'squid'],
  ['ufw', 'ufw'],
  ['dnsmasq-base', 'dnsmasq'],
  ['curl', 'curl'],
  ['openssl', 'openssl'],
  ['procps', 'ps'],
  ['util-linux', 'nsenter'],
  ['ca-certificates', '/etc/ssl/certs/ca-certificates.crt'],
]

const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

const isThere = (what: string): boolean =>
  what.startsWith('/') ? existsSync(what) : directories.some(it => existsSync(`${it}/${what}`))

export const missingPackages = (): string[] => needed.filter(([, what]) => !isThere(what)).map(([name]) => name)

/** Installs what is missing after saying so. Nothing that is installed here starts on this machine, now or at its next boot. */
export const ensurePackages = async (say: (line: string) => void): Promise<void> => {
  const missing = missingPackages()
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    throw new Trouble('the sandbox lacks programs on this machine', {
      why: `these Debian packages, or what they contain, are missing: ${missing.join(' ')}`,
      next: `as root: apt-get install ${missing.join(' ')}`,
    })
  }
  say(`installing Debian packages: ${missing.join(' ')}`)
  await withoutStarting(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
    const install = () => run('apt-get', ['-qy', 'install', '--no-install-recommends', ...missing], { env })
    await install().catch(async () => {
      await run('apt-get', ['-q', 'update'], { env })
      await install()
    })
    // only services that came with the packages just now: others are the machine's own business
    for (const it of ['ssh', 'squid', 'nftables'].filter(name =>
      missing.some(missed => missed.endsWith(name) || (name === 'ssh' && missed === 'openssh-server')),
    ))
      if (existsSync(`/etc/init.d/${it}`)) await run('update-rc.d', [it, 'disable'], { env }).catch(() => {})
  }).catch(thrown => {
    throw new Trouble('the Debian packages of the sandbox could not be installed', {
      why: String(thrown.message ?? thrown)
        .split('\n')
        .slice(-3)
        .join(' '),
      next: `mend apt on this machine, or install by hand: ${missing.join(' ')}`,
    })
  })
  const still = missingPackages()
  if (still.length > 0) throw new Error(`installed, but not found: ${still.join(' ')}`)
}

const policy = '/usr/sbin/policy-rc.d'
const aside = `${policy}.before-kapsule-egress`

/** Debian asks policy-rc.d before it starts a service. One the machine has already is put back afterwards. */
const withoutStarting = async (work: () => Promise<void>) => {
  if (existsSync(policy) && !existsSync(aside)) renameSync(policy, aside)
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    if (existsSync(aside)) renameSync(aside, policy)
    else rmSync(policy, { force: true })
  }
}
