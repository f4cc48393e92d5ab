import type { HostPlay } from '../../src/hosts/play.ts'
import { squidTasks, ufwTask } from '../../src/hosts/squid.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { policyOf } from '../../src/policy/entries.ts'
import type { TestHost } from './host.ts'

/** A key that nobody has the other half of. */
const key = `ssh-ed25519 ${Buffer.from('\0\0\0\vssh-ed25519\0\0\0 kapsule-egress test, nobody has it').toString('base64')} nobody`

/** An egress proxy with one task of nearly every other kind beside it. */
export const truePlay = (host: TestHost['address']): HostPlay => {
  const net = '192.0.2.128/25'
  const tenant = (name: string, port: number) => ({
    name,
    port,
    clients: [net],
    policy: policyOf({}, { tenant: name, egress: { mode: 'enforce', allow: [{ domain: `.${name}.test` }] } }),
  })
  const { tasks, handlers } = squidTasks({
    hostName: 'proxy-1',
    tenants: [tenant('client-a', 3128), tenant('client-b', 3129)],
    inner: [],
    nameservers: ['127.0.0.1'],
  })
  const root = { owner: 'root', group: 'root' }
  const others: Task[] = [
    { task: 'package', name: 'ke-truth', version: '2.0' },
    { task: 'directory', path: '/etc/truth/dir', mode: '0750', owner: 'proxy', group: 'proxy' },
    {
      task: 'file',
      path: '/etc/truth/file',
      content: Array.from({ length: 40 }, (_, n) => `line ${n}\n`).join(''),
      mode: '0640',
      ...root,
      notify: ['count'],
    },
    { task: 'line', path: '/etc/truth/app.conf', line: 'limit 9', replaces: ['limit '], notify: ['count'] },
    { task: 'block', path: '/etc/truth/blocks', name: 'ours', lines: ['first', 'second'] },
    { task: 'symlink', path: '/etc/truth/current', to: '/srv/a' },
    { task: 'absent', path: '/etc/truth/old' },
    { task: 'command', name: 'make', run: 'touch /etc/truth/made', creates: '/etc/truth/made' },
    { task: 'sysctl', name: 'net.ipv4.tcp_fin_timeout', value: '31' },
    { task: 'user', name: 'truth', groups: ['games'], home: '/home/truth' },
    { task: 'directory', path: '/home/truth', mode: '0750', owner: 'truth', group: 'truth' },
    { task: 'authorizedKey', user: 'truth', key },
    { task: 'package', name: 'ufw' },
    ufwTask({
      ssh: { allow: [net, 'fd00:1::/64'], port: 22 },
      proxy: { from: [net], ports: [3128, 3129] },
      confirmSeconds: 15,
    }),
  ]
  return { host, tasks: [...tasks, ...others], handlers: { ...handlers, count: 'echo ran >>/run/counted' } }
}

/** What the play does not make: others' lines in files that are edited, and a repository on the host's own disk. */
export const groundOfTruePlay = `set -e
mkdir -p /etc/truth /srv/repo; cd /srv/repo
printf 'a 1\\nlimit 5\\nz 26\\n' >/etc/truth/app.conf
printf 'before\\nafter\\n' >/etc/truth/blocks
for v in 1.0 2.0; do
  mkdir -p b/DEBIAN b/usr/share/ke-truth; echo $v >b/usr/share/ke-truth/version
  printf 'Package: ke-truth\\nVersion: %s\\nArchitecture: all\\nMaintainer: T <t@t.test>\\nDescription: a test\\n' $v >b/DEBIAN/control
  dpkg-deb -b b ke-truth_$v.deb >/dev/null
  { cat b/DEBIAN/control; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' ke-truth_$v.deb $(stat -c %s ke-truth_$v.deb) $(sha256sum <ke-truth_$v.deb | cut -c1-64); } >>Packages
  rm -r b
done
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
apt-get -qq update`
