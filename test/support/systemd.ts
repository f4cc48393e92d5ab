import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const cgroups = () => /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]

/** Why systemd cannot boot a host of tests here; null: it can. */
export const noSystemd = (): string | null => {
  if (!existsSync('/lib/systemd/systemd')) return 'the package systemd is not installed'
  const root = cgroups()
  if (!root) return 'no cgroup2 is mounted'
  const dir = join(root, `ke-probe-${process.pid}`)
  try {
    mkdirSync(dir)
    rmdirSync(dir)
  } catch (error) {
    return `no cgroup can be made in ${root}: ${(error as Error).message}`
  }
  return null
}

/** Where systemd keeps the processes of one host. Enters it, for the shell that becomes the host. */
export const cgroupOf = (name: string) => {
  const dir = join(cgroups()!, `ke-${name}`)
  return {
    enter: `mkdir -p '${dir}'; echo $$ >'${dir}/cgroup.procs'`,
    /** Its processes have been killed; they may still be on their way out. */
    remove() {
      const drop = (it: string) => {
        for (const child of readdirSync(it, { withFileTypes: true }))
          if (child.isDirectory()) drop(join(it, child.name))
        rmdirSync(it)
      }
      for (let n = 0; existsSync(dir) && n < 200; n++)
        try {
          drop(dir)
        } catch {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25)
        }
    },
  }
}

/**
 * In the root of the new host. What is shared with this machine it may only read; units of this machine are not its
 * own, but for sshd; what looks for devices, terminals or the time has nothing to find.
 */
export const systemdBoot = `mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,ro proc/sys
mount -o remount,bind,rw proc/sys/net
mount -o remount,bind,ro sys
if [ ! -e etc/systemd/system/ke-booted ]; then
  rm -rf etc/systemd/system/* etc/machine-id
  mkdir -p etc/systemd/system/multi-user.target.wants
  ln -s /lib/systemd/system/ssh.service etc/systemd/system/multi-user.target.wants/ssh.service
  ln -s /lib/systemd/system/ssh.service etc/systemd/system/sshd.service
  for it in console-getty.service getty.target systemd-udevd.service systemd-modules-load.service systemd-timesyncd.service \\
    systemd-binfmt.service systemd-random-seed.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount; do
    ln -s /dev/null etc/systemd/system/$it
  done
  head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' >etc/machine-id
  : >etc/systemd/system/ke-booted
fi`

export const systemdInit = '/lib/systemd/systemd --unit=multi-user.target'
