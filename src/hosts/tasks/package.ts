import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'

export type PackageTask = { task: 'package'; name: string }
export type PackageState = { installed: boolean; version: string | null }

/** A Debian package is installed. It stays after a rollback: removing software could take more with it. */
export const packageTask: TaskKind<PackageTask, PackageState> = {
  title: ({ name }) => `package ${name}`,
  look: ({ name }) =>
    `dpkg-query -W -f 'status \${db:Status-Status}\\nversion \${Version}\\n' ${quote(name)} 2>/dev/null || :`,
  parse(output) {
    const { status, version } = fields(output)
    const installed = status === 'installed'
    return { installed, version: installed ? (version ?? null) : null }
  },
  diff: ({ name }, { installed }) =>
    installed ? null : { name: `package ${name}`, action: 'create', diff: 'not installed -> installed' },
  change({ name }) {
    const install = `apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold install --no-install-recommends ${quote(name)}`
    return `export DEBIAN_FRONTEND=noninteractive
${install} || { apt-get -q -o DPkg::Lock::Timeout=120 update && ${install}; }`
  },
  restore: () => ':',
  same: () => true,
}
