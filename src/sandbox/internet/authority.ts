import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../machines/run.ts'
import { httpsNames } from './names.ts'

export type Authority = { ca: string; certificate: string; key: string }

/** The private CA that every host of the sandbox trusts, and one certificate for all names of its internet. */
export const makeAuthority = async (directory: string): Promise<Authority> => {
  const own = join(directory, 'internet')
  const file = (name: string) => join(own, name)
  const made = { ca: join(directory, 'ca.pem'), certificate: file('web.pem'), key: file('web.key') }
  if (existsSync(made.ca) && existsSync(made.certificate)) return made
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const days = ['-days', '825', '-sha256']
  await run('openssl', [
    ...['req', '-x509', ...curve, '-keyout', file('ca.key'), '-out', made.ca, '-subj', '/CN=kapsule-egress sandbox CA'],
    ...['-days', '3650', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  await run('openssl', ['req', ...curve, '-keyout', made.key, '-out', file('web.csr'), '-subj', '/CN=sandbox internet'])
  const names = httpsNames.flatMap(it => [`DNS:${it}`, `DNS:*.${it}`])
  writeFileSync(file('web.ext'), `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`)
  await run('openssl', [
    ...['x509', '-req', '-in', file('web.csr'), '-CA', made.ca, '-CAkey', file('ca.key'), '-CAcreateserial'],
    ...['-out', made.certificate, '-extfile', file('web.ext'), ...days],
  ])
  return made
}
