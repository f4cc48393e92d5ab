import type { Task } from './tasks/all.ts'
import { render } from './template.ts'

export type Collector = {
  host: string
  port: number
  peer?: string | undefined
  ca: string
  certificate?: string | undefined
  key?: string | undefined
}
export type Ship = { rsyslog: Collector } | { fluentBit: Collector }

const tags = ['audit']
const shared = { owner: 'root', group: 'root', mode: '0644', tags }

/** What sends the audit log away, and the handlers that its files notify. Absent: nothing does. */
export const shipTasks = (ship: Ship | undefined, log: string): { tasks: Task[]; handlers: Record<string, string> } => {
  if (!ship) return { tasks: [], handlers: {} }
  return 'rsyslog' in ship ? byRsyslog(ship.rsyslog, log) : byFluentBit(ship.fluentBit, log)
}

const byRsyslog = (collector: Collector, log: string) => ({
  tasks: [
    { task: 'package', name: 'rsyslog', tags },
    { task: 'package', name: 'rsyslog-gnutls', tags },
    {
      task: 'command',
      name: 'lets syslog read the audit log',
      // Ubuntu's rsyslog gives up root for this user; Debian's has none.
      unless: '! id -u syslog || id -nG syslog | grep -qw proxy',
      run: 'usermod -a -G proxy syslog',
      notify: [restartRsyslog],
      tags,
    },
    {
      ...{ task: 'file', path: '/etc/rsyslog.d/30-kapsule-egress-audit.conf', ...shared },
      content: render('etc/rsyslog.d/30-kapsule-egress-audit.conf', dataOf(collector, log)),
      // Alone it lacks the directory that rsyslog.conf names; with the others it is tried again before the restart.
      check: `( ${readable(collector)}
probe=$(mktemp -d)
trap 'rm -rf -- "$probe"' EXIT
{ printf 'global(workDirectory="%s")\\n' "$probe"; cat {}; } >"$probe/conf"
said=$(rsyslogd -N1 -f "$probe/conf" 2>&1) || { printf '%s\\n' "$said"; exit 1; } )`,
      notify: [restartRsyslog],
    },
  ] satisfies Task[],
  handlers: {
    [restartRsyslog]: 'if [ -d /run/systemd/system ]; then systemctl restart rsyslog; else service rsyslog restart; fi',
  },
})

const byFluentBit = (collector: Collector, log: string) => ({
  tasks: [
    {
      task: 'directory',
      path: '/var/lib/kapsule-egress/fluent-bit',
      ...{ mode: '0750', owner: 'root', group: 'root', tags },
    },
    {
      ...{ task: 'file', path: '/etc/fluent-bit/kapsule-egress-audit.conf', ...shared },
      content: render('etc/fluent-bit/kapsule-egress-audit.conf', dataOf(collector, log)),
      check: `( [ -x ${fluentBit} ] || { echo 'Fluent Bit is not installed (${fluentBit}): it is in no Debian release, so add its own repository'; exit 1; }
${readable(collector)} && ${fluentBit} --dry-run -c {} )`,
      notify: [restartFluentBit],
    },
    {
      ...{ task: 'file', path: '/etc/systemd/system/kapsule-egress-audit.service', ...shared },
      content: render('etc/systemd/system/kapsule-egress-audit.service', { program: fluentBit }),
      notify: [restartFluentBit],
    },
  ] satisfies Task[],
  handlers: {
    [restartFluentBit]:
      'systemctl daemon-reload && systemctl enable kapsule-egress-audit && systemctl restart kapsule-egress-audit',
  },
})

const restartRsyslog = 'restart rsyslog'
const restartFluentBit = 'restart Fluent Bit'
const fluentBit = '/opt/fluent-bit/bin/fluent-bit'

const dataOf = ({ host, port, peer = host, ca, certificate = '', key = '' }: Collector, log: string) => ({
  ...{ target: host, port, peer, ca, certificate, key, log },
})

const readable = ({ ca, certificate, key }: Collector) =>
  `for it in ${[ca, certificate, key].filter(Boolean).join(' ')}; do [ -r "$it" ] || { echo "$it is not there"; exit 1; }; done`
