import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { put, readText } from './files.ts'
import { cloudInitCommand, init } from './init.ts'
import { run } from './run.ts'
import type { World } from './world.ts'

const kept = [
  'bin',
  'boot',
  'dev',
  'etc',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'opt',
  'proc',
  'run',
  'sbin',
  'srv',
  'sys',
  'usr',
  'var',
]

/** What this machine may have changed or filled, and a fresh one has not. */
const hidden = [
  ...[
    'etc/ssh',
    'etc/ufw',
    'etc/squid',
    'etc/environment',
    'etc/hostname',
    'etc/hosts',
    'etc/resolv.conf',
    'etc/machine-id',
  ],
  ...['0', '1', '2', '3', '4', '5', '6', 'S'].map(level => `etc/rc${level}.d`),
  ...['var/log', 'var/tmp', 'var/spool/squid', 'var/spool/cron', 'var/mail', 'var/lib/cloud', 'usr/sbin/policy-rc.d'],
]

/**
 * Makes the two layers between a host's disk and this machine's root: `clean` hides what is the machine's own business,
 * `common` has what a fresh server has there. Done once; whiteouts are character devices 0:0 (no xattr tools needed).
 */
export const makeLayers = async (world: World, ca: string): Promise<void> => {
  const layers = join(world.hosts, 'layers')
  if (existsSync(layers)) return
  const draft = `${layers}.new`
  rmSync(draft, { recursive: true, force: true })
  await makeClean(join(draft, 'clean'), world.directory)
  makeCommon(join(draft, 'common'), ca)
  renameSync(draft, layers)
}

const makeClean = async (root: string, directory: string) => {
  const top = readdirSync('/').filter(it => !kept.includes(it) && it !== 'lost+found')
  // the checkout itself may be below a directory that is kept, /opt or /srv or /var
  const own = kept.includes(directory.split('/')[1]!) ? [directory.slice(1)] : []
  const paths = [...top, ...own, ...hidden.filter(it => existsSync(join('/', it)))]
  for (const path of paths) mkdirSync(join(root, dirname(path)), { recursive: true, mode: 0o755 })
  await run('sh', ['-c', 'cd "$0" && for it; do mknod "$it" c 0 0 || exit; done', root, ...paths])
}

const makeCommon = (root: string, ca: string) => {
  const make = (path: string, mode = 0o755, owner?: string) => {
    mkdirSync(join(root, path), { recursive: true })
    chmodSync(join(root, path), mode)
    if (owner) chownSync(join(root, path), ...idsOf(owner))
  }
  const copy = (from: string, to = from.slice(1), mode?: number) => {
    if (!existsSync(from)) return
    mkdirSync(join(root, dirname(to)), { recursive: true })
    cpSync(from, join(root, to), { recursive: true, dereference: true })
    if (mode !== undefined) chmodSync(join(root, to), mode)
  }
  for (const it of ['home', 'mnt', 'media', 'var/log', 'var/log/apt', 'etc/ufw', 'etc/squid/conf.d']) make(it)
  for (const it of ['tmp', 'var/tmp']) make(it, 0o1777)
  for (const level of ['0', '1', '2', '3', '4', '5', '6', 'S']) make(`etc/rc${level}.d`)
  make('root', 0o700)
  make('root/.ssh', 0o700)
  for (const it of ['bashrc', 'profile']) copy(`/usr/share/base-files/dot.${it}`, `root/.${it}`)

  for (const it of ['moduli', 'ssh_config']) copy(`/etc/ssh/${it}`)
  make('etc/ssh/sshd_config.d')
  make('etc/ssh/ssh_config.d')
  copy('/usr/share/openssh/sshd_config', 'etc/ssh/sshd_config')
  if (!existsSync(join(root, 'etc/ssh/sshd_config'))) put(join(root, 'etc/ssh/sshd_config'), fallbackSshd)

  if (existsSync('/usr/share/ufw')) {
    for (const it of ['before.rules', 'before6.rules', 'after.rules', 'after6.rules', 'user.rules', 'user6.rules'])
      copy(`/usr/share/ufw/${it}`, `etc/ufw/${it}`, 0o640)
    for (const it of ['before.init', 'after.init']) copy(`/usr/share/ufw/${it}`, `etc/ufw/${it}`, 0o640)
    copy('/usr/share/ufw/ufw.conf', 'etc/ufw/ufw.conf')
    copy('/etc/ufw/sysctl.conf')
    copy('/etc/ufw/applications.d')
    put(join(root, 'etc/default/ufw'), defaultPolicies(readText('/etc/default/ufw') ?? ''))
  }
  put(join(root, 'etc/squid/squid.conf'), squidConf())
  copy('/etc/squid/errorpage.css')
  copy('/etc/squid/conf.d/debian.conf')
  if (readText('/etc/passwd')?.includes('\nproxy:')) {
    make('var/log/squid', 0o750, 'proxy')
    make('var/spool/squid', 0o750, 'proxy')
  }
  const bundle = '/etc/ssl/certs/ca-certificates.crt'
  put(join(root, bundle), `${readText(bundle)?.trimEnd() ?? ''}\n${ca}`)
  put(join(root, 'usr/local/share/ca-certificates/kapsule-egress-sandbox.crt'), ca)
  put(join(root, 'usr/lib/sandbox/init'), init, 0o755)
  put(join(root, 'usr/bin/cloud-init'), cloudInitCommand, 0o755)
  put(join(root, 'etc/environment'), '')
  for (const it of ['usr', 'usr/bin', 'usr/lib', 'usr/local', 'etc', 'var', 'var/lib', 'var/spool']) {
    if (existsSync(join(root, it))) chmodSync(join(root, it), 0o755)
  }
}

const idsOf = (user: string): [number, number] => {
  const fields = new RegExp(`^${user}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readText('/etc/passwd') ?? '')
  return [Number(fields?.[1] ?? 0), Number(fields?.[2] ?? 0)]
}

const defaultPolicies = (text: string) =>
  text
    .replace(/^DEFAULT_(INPUT|FORWARD)_POLICY=.*$/gm, 'DEFAULT_$1_POLICY="DROP"')
    .replace(/^DEFAULT_OUTPUT_POLICY=.*$/gm, 'DEFAULT_OUTPUT_POLICY="ACCEPT"')
    .replace(/^DEFAULT_APPLICATION_POLICY=.*$/gm, 'DEFAULT_APPLICATION_POLICY="SKIP"')

/** The package's squid.conf if this machine still has it, else the lines of it that say anything. */
const squidConf = (): string => {
  const mine = readText('/etc/squid/squid.conf')
  const recorded = /^ \/etc\/squid\/squid\.conf ([0-9a-f]{32})/m.exec(readText('/var/lib/dpkg/status') ?? '')?.[1]
  const same =
    mine !== null && createHash('md5').update(readFileSync('/etc/squid/squid.conf')).digest('hex') === recorded
  return same ? mine : fallbackSquid
}

const fallbackSshd = `Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
`

const fallbackSquid = `acl SSL_ports port 443
acl Safe_ports port 80 443 1025-65535
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
http_access allow localhost manager
http_access deny manager
include /etc/squid/conf.d/*.conf
http_access allow localhost
http_access deny all
http_port 3128
coredump_dir /var/spool/squid
refresh_pattern . 0 20% 4320
`
