import { readFileSync } from 'node:fs'
import { type ClientCertificates, certificateTasks } from './client-certificates.ts'
import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'

export type TlsTenant = {
  name: string
  /** Whether the name in a tunnel's TLS hello must be the one that was asked for. */
  sni?: 'verify'
  /** Who may connect to its port, by TLS. */
  certificates?: ClientCertificates | undefined
}

export const sniHelper = '/usr/local/lib/kapsule-egress/sni-helper'

/** Key and certificate of the proxy itself. Nobody but root reads it, and it is made where it stays. */
export const ownCertificate = '/etc/squid/egress/proxy.pem'

export const needsTls = (tenants: readonly TlsTenant[]): boolean => tenants.some(it => it.sni || it.certificates)

/** The Squid that can look into the beginning of TLS. What has no such build of its own has one that can do both. */
export const squidPackage = (tenants: readonly TlsTenant[]): Task =>
  needsTls(tenants)
    ? { task: 'package', name: 'squid-openssl', insteadOf: 'squid' }
    : { task: 'package', name: 'squid', or: 'squid-openssl' }

type MakeFile = (path: string, content: string, more?: Partial<FileTask>) => Task

/** What squid.conf names besides: after the package, before squid.conf. */
export const tlsTasks = (
  hostName: string,
  names: readonly string[],
  tenants: readonly (TlsTenant & { port: number })[],
  file: MakeFile,
  notify: string[],
): Task[] =>
  needsTls(tenants)
    ? [
        { task: 'package', name: 'openssl' },
        ...(tenants.some(it => it.sni) ? sniTasks(hostName, file, notify) : []),
        ...certificateTasks(hostName, names, tenants, file, notify),
      ]
    : []

const sniTasks = (hostName: string, file: MakeFile, notify: string[]): Task[] => [
  { task: 'command', name: 'certificate of the proxy', run: makeCertificate(hostName), creates: ownCertificate },
  file(sniHelper, readFileSync(helperSource, 'utf8'), { mode: '0755', check: 'perl -c {}', notify }),
]

const helperSource = new URL('../../templates/usr/local/lib/kapsule-egress/sni-helper', import.meta.url)

/** Squid wants one on a port that looks at TLS, and shows it to nobody as long as nothing is decrypted. */
const makeCertificate = (hostName: string) => `umask 077
c=${ownCertificate}.new
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=${hostName} \\
  -addext subjectAltName=DNS:${hostName} -keyout "$c.key" -out "$c" 2>/dev/null
cat "$c.key" >>"$c"
rm -f "$c.key"
mv -f "$c" ${ownCertificate}`
