import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostAddress } from '../../src/hosts/address.ts'
import { type HostKey, newHostKey } from '../../src/hosts/cloud-init.ts'
import { ownDevices } from '../../src/sandbox/machines/box.ts'
import { claim } from './claim.ts'
import { cgroupOf, systemdBoot, systemdInit } from './systemd.ts'

/** A real host for tests: a network namespace, this machine's disk under an overlay, and the real sshd. */
export type TestHost = {
  address: HostAddress
  netns: string
  /** The path of the operator's private key. */
  identity: string
  /** Runs a command inside without SSH. */
  sh(command: string): string
  /** Cuts the power and boots again: the disk stays, what was only in memory is gone. */
  reboot(): Promise<void>
  /** Ends every process and removes everything that was made. */
  down(): Promise<void>
}

const init = `#!/bin/sh
mkdir -p /run/sshd /run/lock
for script in /etc/rcS.d/S*; do [ ! -x "$script" ] || "$script" start; done
[ ! -x /lib/ufw/ufw-init ] || /lib/ufw/ufw-init start quiet
/usr/sbin/sshd -D -e &
while :; do
  sleep 86400 &
  wait $!
done
`

export type HostOptions = {
  /** Where the /30s of hosts begin. */
  first?: string
  /** Lines of sshd_config besides. */
  sshd?: string
  /** Who may log in; absent: a new key. */
  operator?: HostKey
  /** A directory whose files lie over those of this machine. */
  over?: string
  /** Booted by systemd and not by a script of a few lines; asks `noSystemd` first. */
  systemd?: boolean
}

/** Hosts take /30s from `first` on, by default of 192.0.2.128/25 (documentation range): then `slot` is 0-31. */
export const makeHost = async (
  slot: number,
  { first = '192.0.2.128', sshd = '', operator, over, systemd = false }: HostOptions = {},
): Promise<TestHost> => {
  const [outside, inside] = [addressAt(first, slot * 4 + 1), addressAt(first, slot * 4 + 2)]
  const slotIsOurs = await claim(first === '192.0.2.128' ? `host-${slot}` : `host-${first}-${slot}`)
  sweep(outside)
  const name = `ket-${process.pid % 100000}-${slot}`
  const veth = `ke${process.pid % 1000000}-${slot}`
  const dir = mkdtempSync(join(tmpdir(), 'kapsule-egress-host-'))
  // In memory: quick, and allowed as an overlay layer beside /.
  run('mount', '-t', 'tmpfs', '-o', 'mode=700', 'ke-test', dir)
  for (const it of ['seed/etc/ssh', 'seed/usr/sbin', 'rcS', 'up', 'work', 'root'])
    mkdirSync(join(dir, it), { recursive: true })
  const [hostKey, identity]: HostKey[] = [newHostKey(name), operator ?? newHostKey('operator')]
  writeFileSync(join(dir, 'identity'), identity!.private, { mode: 0o600 })
  writeFileSync(join(dir, 'seed/etc/ssh/ssh_host_ed25519_key'), hostKey!.private, { mode: 0o600 })
  writeFileSync(
    join(dir, 'seed/etc/ssh/sshd_config'),
    `HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\nUseDNS no\nAuthorizedKeysFile /etc/ssh/keys\nStrictModes no\nSubsystem sftp internal-sftp\n${sshd}`,
  )
  writeFileSync(join(dir, 'seed/etc/ssh/keys'), `${identity!.public}\n`)
  writeFileSync(join(dir, 'seed/usr/sbin/init'), init, { mode: 0o755 })
  run('ip', 'netns', 'add', name)
  run('ip', 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  run('ip', 'addr', 'add', `${outside}/30`, 'dev', veth)
  run('ip', 'link', 'set', veth, 'up')
  const cgroup = systemd ? cgroupOf(name) : null
  let child: ChildProcess
  let log = ''
  const start = async () => {
    for (const it of [
      ['link', 'set', 'lo', 'up'],
      ['addr', 'replace', `${inside}/30`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
    ])
      run('ip', '-n', name, ...it)
    log = ''
    const machine = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '--pid',
      '--uts',
      '--ipc',
      '--fork',
      '--kill-child',
      ...(cgroup ? ['--cgroup'] : []),
    ]
    const into = cgroup ? ['sh', '-ec', `${cgroup.enter}; exec "$@"`, 'sh'] : []
    child = spawn(
      'nsenter',
      [`--net=/run/netns/${name}`, ...into, ...machine, 'sh', '-ec', boot(dir, name, systemd, over)],
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    )
    child.stderr!.on('data', (chunk: Buffer) => {
      log += chunk
    })
    for (let n = 0; !(systemd ? await answers(inside) : log.includes('Server listening on 0.0.0.0')); n++) {
      if (n > 2400 || child.exitCode !== null) {
        await host.down()
        throw new Error(`the test host did not start: ${log}`)
      }
      await sleep(25)
    }
  }
  const host: TestHost = {
    netns: name,
    identity: join(dir, 'identity'),
    address: {
      name: `test-${slot}`,
      address: inside,
      port: 22,
      user: 'root',
      hostKey: hostKey!.public,
      identity: join(dir, 'identity'),
    },
    sh: command =>
      execFileSync(
        'nsenter',
        [
          '-t',
          String(initOf(child)),
          '-m',
          '-u',
          '-i',
          '-n',
          '-p',
          '-r',
          '-w',
          'env',
          '-i',
          'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
          'sh',
          '-c',
          command,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 },
      ),
    async reboot() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      process.kill(initOf(child), 'SIGKILL')
      await ended
      run('ip', 'netns', 'exec', name, 'nft', 'flush', 'ruleset')
      run('ip', '-n', name, 'addr', 'flush', 'dev', 'eth0')
      await start()
    },
    async down() {
      process.off('exit', remove)
      const ended = child.exitCode !== null || new Promise(resolve => child.once('exit', resolve))
      remove()
      await ended
      slotIsOurs.release()
    },
  }
  /** Ending its init takes every process of the host along, and with them its mounts. */
  const remove = () => {
    for (const step of [
      () => process.kill(initOf(child), 'SIGKILL'),
      () => run('ip', 'netns', 'del', name),
      // The kernel frees the pair with the namespace, later than we can say so.
      () => run('ip', 'link', 'del', veth),
      () => run('umount', '--lazy', dir),
      () => cgroup?.remove(),
      () => rmSync(dir, { recursive: true }),
    ])
      try {
        step()
      } catch {
        // Already gone: the next step still has to be done.
      }
  }
  // Also when a test ends the process in an unexpected way.
  process.once('exit', remove)
  for (const it of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) if (process.listenerCount(it) === 0) process.on(it, die)
  await start()
  return host
}

const die = () => process.exit(1)

/** What a process that was killed left at an address that is ours now would take the answers of our host. */
const sweep = (outside: string) => {
  const found = execFileSync('ip', ['-o', '-4', 'address', 'show', 'to', `${outside}/32`], { encoding: 'utf8' })
  for (const [, veth, pid, slot] of found.matchAll(/^\d+: (ke(\d+)-(\d+))\b/gm)) {
    run('ip', 'link', 'del', veth!)
    const name = `ket-${Number(pid) % 100000}-${slot}`
    if (existsSync(`/run/netns/${name}`)) run('ip', 'netns', 'del', name)
  }
}

const addressAt = (first: string, offset: number): string => {
  const at = first.split('.').reduce((all, it) => all * 256 + Number(it), 0) + offset
  return [24, 16, 8, 0].map(bits => Math.floor(at / 2 ** bits) % 256).join('.')
}

/** Does sshd say its name? */
const answers = (address: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ host: address, port: 22, timeout: 1000 })
    const end = (it: boolean) => {
      socket.destroy()
      resolve(it)
    }
    socket.on('data', () => end(true))
    for (const it of ['error', 'timeout', 'end']) socket.on(it, () => end(false))
  })

const boot = (dir: string, name: string, systemd: boolean, over?: string) => `
mount -t overlay overlay -o 'lowerdir=${dir}/seed${over ? `:${over}` : ''}:/,upperdir=${dir}/up,workdir=${dir}/work' '${dir}/root'
cd '${dir}/root'
${ownDevices}
mount -t proc proc proc; mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
${systemd ? '' : `mount --bind '${dir}/rcS' etc/rcS.d`}
mount -t tmpfs -o mode=700 tmpfs root
mount -t tmpfs -o mode=1777 tmpfs tmp
${systemd ? systemdBoot : ''}
hostname ${name}
exec env -i ${systemd ? 'container=test' : ''} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 chroot . ${systemd ? systemdInit : '/usr/sbin/init'}`

/** `unshare --fork` has one child: the init of the host. */
const initOf = ({ pid }: ChildProcess): number => {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const child = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ')[0]
    if (child) return Number(child)
  }
  throw new Error('the test host has no init')
}

const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
