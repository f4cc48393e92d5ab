import { execFileSync } from 'node:child_process'
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Issued = { cert: string; key: string }

/** A certificate authority of a tenant's, made with openssl(1). */
export type Authority = {
  pem: string
  /** Dates: YYYYMMDDHHMMSSZ. `extension`: a line of openssl's own. */
  issue(subject: string, more?: { from?: string; to?: string; extension?: string }): Issued
  /** The revocation list after these are on it too; `days` until it is overdue. */
  revoke(them: Issued[], days?: number): string
  /** A certificate whose bytes are changed, signed anew. */
  forge(issued: Issued, change: (tbs: Buffer) => Buffer): Issued
  remove(): void
}

export const makeAuthority = (subject = '/CN=tenants'): Authority => {
  const at = mkdtempSync(join(tmpdir(), 'egress-ca-'))
  const path = (name: string) => join(at, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: at, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-subj', subject, '-days', '30', '-keyout', 'ca.key', '-out', 'ca.crt')
  writeFileSync(path('index'), '')
  writeFileSync(path('index.attr'), 'unique_subject = no\n')
  writeFileSync(path('number'), '01\n')
  writeFileSync(
    path('conf'),
    `[ca]
default_ca = all
[all]
database = index
crlnumber = number
new_certs_dir = .
rand_serial = yes
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
[any]
CN = optional
O = optional
OU = optional
`,
  )
  let count = 0
  return {
    pem: readFileSync(path('ca.crt'), 'utf8'),
    issue(subject, { from, to, extension = 'extendedKeyUsage = clientAuth' } = {}) {
      const name = `leaf${count++}`
      openssl('req', '-new', '-utf8', ...newKey, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`)
      writeFileSync(path(`${name}.ext`), `${extension}\n`)
      const dates = ['-startdate', from ?? '20200101000000Z', '-enddate', to ?? '20991231235959Z']
      const io = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', `${name}.ext`]
      openssl('ca', '-config', 'conf', '-batch', '-notext', '-preserveDN', ...dates, ...io)
      return { cert: readFileSync(path(`${name}.crt`), 'utf8'), key: readFileSync(path(`${name}.key`), 'utf8') }
    },
    revoke(them, days = 30) {
      for (const { cert } of them) {
        writeFileSync(path('revoked.crt'), cert)
        openssl('ca', '-config', 'conf', '-revoke', 'revoked.crt')
      }
      const when =
        days > 0
          ? ['-crldays', String(days)]
          : ['-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200102000000Z']
      openssl('ca', '-config', 'conf', '-gencrl', ...when, '-out', 'ca.crl')
      return readFileSync(path('ca.crl'), 'utf8')
    },
    forge({ cert, key }, change) {
      const [tbs, algorithm] = parts(new X509Certificate(cert).raw)
      const changed = change(Buffer.from(tbs!))
      const by = createPrivateKey(readFileSync(path('ca.key')))
      const signature = Buffer.concat([Buffer.from([0]), sign('sha256', changed, by)])
      const raw = der(0x30, Buffer.concat([changed, algorithm!, der(0x03, signature)]))
      const lines = raw.toString('base64').replace(/.{64}/g, '$&\n')
      return { cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key }
    },
    remove: () => rmSync(at, { recursive: true, force: true }),
  }
}

/** The elements of a DER sequence. */
const parts = (sequence: Buffer): Buffer[] => {
  const { head } = lengthAt(sequence, 0)
  const all: Buffer[] = []
  for (let at = head; at < sequence.length; ) {
    const { head, length } = lengthAt(sequence, at)
    all.push(sequence.subarray(at, at + head + length))
    at += head + length
  }
  return all
}

const lengthAt = (bytes: Buffer, at: number) => {
  const first = bytes[at + 1]!
  if (first < 0x80) return { head: 2, length: first }
  return { head: 2 + (first & 0x7f), length: bytes.readUIntBE(at + 2, first & 0x7f) }
}

const der = (tag: number, content: Buffer) => {
  const length = content.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}
