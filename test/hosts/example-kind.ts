import { quote } from '../../src/hosts/shell.ts'
import type { TaskKind } from '../../src/hosts/tasks/kind.ts'

export type TimezoneTask = { task: 'timezone'; zone: string }
export type TimezoneState = { zone: string | null }

/** The time zone of the host, as a link to one of the system's own tables. */
export const timezoneTask: TaskKind<TimezoneTask, TimezoneState> = {
  title: () => 'time zone',
  look: () => 'echo "to $(readlink /etc/localtime)"',
  parse: output => ({ zone: /^to .*zoneinfo\/(.+)$/m.exec(output)?.[1] ?? null }),
  diff: ({ zone }, state) =>
    state.zone === zone ? null : { name: 'time zone', action: 'update', diff: `${state.zone ?? 'none'} -> ${zone}` },
  change: ({ zone }) => link(zone),
  restore: (_, { zone }) => (zone === null ? 'rm -f /etc/localtime' : link(zone)),
  same: (before, now) => before.zone === now.zone,
}

const link = (zone: string) => `to=/usr/share/zoneinfo/${quote(zone)}
[ -f "$to" ] || { echo "there is no $to"; exit 1; }
ln -sf -- "$to" /etc/.localtime.kapsule-egress.new
mv -fT -- /etc/.localtime.kapsule-egress.new /etc/localtime`
