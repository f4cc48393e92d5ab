import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Debian's sudo for test hosts, whose lower layer is this machine's disk: `install` is sh to run inside a host that is
 * made afterwards. Nothing is installed on this machine.
 */
export const sudoPackage = () => {
  if (existsSync('/usr/bin/sudo')) return { install: ':', remove() {} }
  const folder = mkdtempSync('/var/tmp/kapsule-egress-sudo-')
  execFileSync('chmod', ['755', folder])
  execFileSync('apt-get', ['-qq', 'download', 'sudo'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const file = readdirSync(folder).find(it => it.endsWith('.deb'))
  if (!file) throw new Error('apt-get could not download sudo')
  return {
    install: `dpkg -i ${join(folder, file)} >/dev/null`,
    remove: () => rmSync(folder, { recursive: true }),
  }
}
