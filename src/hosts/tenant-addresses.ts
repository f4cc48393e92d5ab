import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'

const script = '/usr/local/lib/kapsule-egress/tenant-addresses'
const unit = 'kapsule-egress-addresses.service'

type MakeFile = (path: string, content: string, more?: Partial<FileTask>) => Task
type Fill = (path: string, data: Record<string, unknown>) => string

/**
 * Brings up the public addresses that were given to a server after it booted, now and at every boot. `addresses` are
 * words of `fill`: what is told by the inventory of a machine that exists may be another machine's, and is left alone.
 */
export const tenantAddresses = (
  addresses: readonly string[],
  fill: NonNullable<FileTask['fill']>,
  file: MakeFile,
  filled: Fill,
  daemonReload: string,
): Task[] =>
  addresses.length === 0
    ? []
    : [
        file(script, filled(script.slice(1), { addresses }), { mode: '0755', fill, check: 'sh -n {}' }),
        file(`/etc/systemd/system/${unit}`, filled(`etc/systemd/system/${unit}`, { script }), {
          notify: [daemonReload],
        }),
        {
          task: 'symlink',
          path: `/etc/systemd/system/multi-user.target.wants/${unit}`,
          to: `../${unit}`,
          notify: [daemonReload],
        },
        { task: 'command', name: 'addresses of tenants', unless: `${script} --check`, run: script },
      ]
