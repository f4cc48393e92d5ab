import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Say } from './say.ts'
import type { TenantFile } from './schema-tenant.ts'
import type { Parts } from './validate.ts'

/** Whose certificates a tenant's port takes, with what its files hold; `secret`: the pods' own, in their namespace. */
export type Certificates = { ca: string; crl?: string; names: string[]; secret: string }

/** Where a path of the inventory is. */
export type From = (path: string) => string

/** The file's words with the files read; a tenant that names nobody means itself. */
export const certificatesOf = ({ tenant, egress }: TenantFile, from: From): { clientCertificates?: Certificates } => {
  const said = egress.clientCertificates
  if (!said) return {}
  const { ca, crl, names = [tenant], secret } = said
  const text = (path: string) => readFileSync(from(path), 'utf8')
  return { clientCertificates: { names, secret, ca: text(ca), ...(crl !== undefined && { crl: text(crl) }) } }
}

/** Which names are whose, by the CA that gives them, as the files are gone through. */
export type Named = Map<string, string>

/** Files that are what they are called, and names that are nobody else's. */
export const checkCertificates = ({ tenant, egress }: Parts<TenantFile>, named: Named, from: From, say: Say): void => {
  const said = egress?.clientCertificates
  if (!said) return
  const path = ['egress', 'clientCertificates']
  if (egress.sni === 'verify')
    say(
      ['egress', 'sni'],
      'sni: verify and clientCertificates are both said',
      'Squid can do one of them on a port',
      'leave one out',
    )
  const ca = said.ca === undefined ? null : read([...path, 'ca'], said.ca, from, say)
  if (ca !== null) {
    const wrong = wrongWith(ca)
    if (wrong) say([...path, 'ca'], `${said.ca} is no CA of clients`, wrong, 'name a PEM file of CA certificates')
  }
  const crl = said.crl === undefined ? null : read([...path, 'crl'], said.crl, from, say)
  if (crl !== null && !crl.includes('-----BEGIN X509 CRL-----'))
    say([...path, 'crl'], `${said.crl} is no revocation list`, 'it holds no PEM of an X509 CRL', 'name a PEM file')
  for (const [at, name] of (said.names ?? [tenant]).entries()) {
    if (ca === null || name === undefined) continue
    const key = `${ca.trim()} ${bare(name)}`
    const owner = named.get(key) ?? tenant
    if (owner === tenant) named.set(key, tenant!)
    else
      say(
        said.names ? [...path, 'names', at] : path,
        `the name ${name} is that of ${owner}`,
        'a certificate belongs to one tenant',
        'write another name, or another CA',
      )
  }
}

/** `/CN=a` and `a` are one. */
const bare = (name: string) => name.replace(/^\/CN=([^/]*)$/, '$1')

const read = (path: (string | number)[], file: string, from: From, say: Say): string | null => {
  try {
    const text = readFileSync(from(file), 'utf8')
    if (!text.includes('PRIVATE KEY-----')) return text
    say(
      path,
      `${file} holds a private key`,
      'only certificates are put on a proxy',
      'take the key out of it, and think of it as known',
    )
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    say(path, `${file} cannot be read`, why, 'make it a file that you may read')
  }
  return null
}

const wrongWith = (pem: string): string | null => {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  if (!blocks) return 'it holds no certificate'
  for (const it of blocks) {
    try {
      const { ca, subject, validTo } = new X509Certificate(it)
      const who = subject?.replaceAll('\n', ', ')
      if (!ca) return `the certificate of ${who} is not a CA's`
      if (Date.parse(validTo) < Date.now()) return `the certificate of ${who} ended on ${validTo}`
    } catch {
      return 'a certificate in it cannot be read'
    }
  }
  return null
}
