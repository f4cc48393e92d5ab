import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import { authorityFile } from './client-certificates.ts'
import type { Ssh } from './ssh.ts'

export type AuthorityWant = { hosts: HostAddress[] }
/** PEM, one certificate a proxy, in their order. Nothing secret. */
export type AuthorityLive = { pem: string }

/** What pods must trust to know their proxies: each host made its own, and it is read there. */
export const authorityKind: Kind<AuthorityWant, AuthorityLive, { ssh: Ssh }> = {
  name: 'proxy-authority',
  looksThroughParents: true,
  async read({ hosts }, { ssh }, { signal, planning }) {
    const said = await Promise.all(
      hosts.map(async host => {
        const { stdout } = await ssh.exec(host, {
          ...asRoot(host, `cat ${authorityFile} 2>/dev/null || :\n`),
          ...{ timeoutSeconds: 30, repeatable: true, signal },
          ...(planning && { bootSeconds: 3 }),
        })
        return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(stdout)?.[0] ?? null
      }),
    )
    return said.includes(null) ? null : { pem: said.join('') }
  },
  diff: ({ hosts }, live) =>
    live ? null : { action: 'create', summary: `read what ${hosts.map(it => it.name).join(', ')} is known by` },
  async apply(want, clients, _live, report) {
    const live = await authorityKind.read(want, clients, report)
    if (live) return live
    throw new Problem(`${want.hosts.map(it => it.name).join(', ')}: not all of them have a certificate for clients`, {
      why: `${authorityFile} is made when a proxy is configured`,
      next: 'run 40-configure without --tags and --limit, then again',
    })
  },
  async undo() {},
}

/** `authority('client-a', { hosts })` */
export const authority = word(authorityKind)
