import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkSquid, reloadSquid } from '../../../src/hosts/squid-shell.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'

export type File = { path: string; mode: string; content: string }

/** What every host gets: Squid with an allowlist, and UFW. `lifetime` is the one line that a change changes. */
export type Job = (host: string, lifetime: number) => File[]

/** Every host of the lab, and who administrates them. */
export const range = '172.16.32.0/22'

/** The peer's own templates where its folder is given, so that both write the same bytes; else files of the same size. */
export const jobOf = async (peers: string | undefined): Promise<Job> => {
  const theirs = peers && join(peers, 'floor/render.mjs')
  if (!theirs || !existsSync(theirs)) return ours
  const { render } = (await import(theirs)) as {
    render: (host: string, lifetime: number) => { path: string; mode: number; data: string }[]
  }
  return (host, lifetime) =>
    render(host, lifetime).map(it => ({ path: `/${it.path}`, mode: `0${it.mode.toString(8)}`, content: it.data }))
}

const ours: Job = (host, lifetime) => [
  { path: '/etc/squid/squid.conf', mode: '0644', content: squidConf(host, lifetime) },
  { path: '/etc/squid/allowlist.txt', mode: '0644', content: domains.map(it => `${it}\n`).join('') },
  { path: '/etc/default/ufw', mode: '0644', content: defaults },
  { path: '/etc/ufw/user.rules', mode: '0640', content: rules('ufw', [22, 3128]) },
  { path: '/etc/ufw/user6.rules', mode: '0640', content: rules('ufw6', []) },
  { path: '/etc/ufw/ufw.conf', mode: '0644', content: 'ENABLED=yes\nLOGLEVEL=low\n' },
]

const domains = Array.from({ length: 50 }, (_, n) => `.allowed-${n}.example.com`)

const squidConf = (host: string, lifetime: number) => `http_port 3128
visible_hostname ${host}
acl cluster src ${range}
acl tls port 443
acl CONNECT method CONNECT
acl allowed dstdomain "/etc/squid/allowlist.txt"
http_access deny CONNECT !tls
http_access allow cluster allowed
http_access deny all
cache deny all
cache_mem 8 MB
pinger_enable off
shutdown_lifetime ${lifetime} seconds
`

const defaults = `IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
IPT_SYSCTL=/etc/ufw/sysctl.conf
IPT_MODULES=""
`

// To the byte as ufw writes it, or its reload would change it.
const rules = (chain: string, ports: number[]) => `*filter
${['user', 'before-logging', 'user-logging', 'after-logging']
  .flatMap(it => ['input', 'output', 'forward'].map(way => `:${chain}-${it}-${way} - [0:0]\n`))
  .join(
    '',
  )}${['logging-deny', 'logging-allow', 'user-limit', 'user-limit-accept'].map(it => `:${chain}-${it} - [0:0]\n`).join('')}### RULES ###
${ports
  .map(
    port => `
### tuple ### allow tcp ${port} 0.0.0.0/0 any ${range} in
-A ${chain}-user-input -p tcp --dport ${port} -s ${range} -j ACCEPT
`,
  )
  .join('')}
### END RULES ###

### LOGGING ###
${['input', 'forward'].map(it => `-A ${chain}-after-logging-${it} -j LOG --log-prefix "[UFW BLOCK] " ${often}\n`).join('')}-I ${chain}-logging-deny -m conntrack --ctstate INVALID -j RETURN ${often}
-A ${chain}-logging-deny -j LOG --log-prefix "[UFW BLOCK] " ${often}
-A ${chain}-logging-allow -j LOG --log-prefix "[UFW ALLOW] " ${often}
### END LOGGING ###

### RATE LIMITING ###
-A ${chain}-user-limit -m limit --limit 3/minute -j LOG --log-prefix "[UFW LIMIT BLOCK] "
-A ${chain}-user-limit -j REJECT
-A ${chain}-user-limit-accept -j ACCEPT
### END RATE LIMITING ###
COMMIT
`

const often = '-m limit --limit 3/min --limit-burst 10'

const reload = 'reload squid'

/** The job in our words. */
export const tasksFor = (files: File[]): { tasks: Task[]; handlers: Record<string, string> } => ({
  tasks: [
    { task: 'package', name: 'squid' },
    { task: 'package', name: 'ufw' },
    ...files
      // A squid.conf is tried with the list that it names.
      .toSorted((a, b) => Number(a.path.endsWith('squid.conf')) - Number(b.path.endsWith('squid.conf')))
      .map((it): Task => {
        const file = { task: 'file' as const, ...it, owner: 'root', group: 'root' }
        if (!it.path.startsWith('/etc/squid/')) return file
        const check = it.path.endsWith('squid.conf') ? { check: checkSquid } : {}
        return { ...file, ...check, notify: [reload] }
      }),
    { task: 'service', name: 'squid', running: true, enabled: true },
    { task: 'port', port: 3128 },
  ],
  handlers: { [reload]: reloadSquid() },
})
