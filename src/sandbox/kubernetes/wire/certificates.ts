import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

export type Certificates = { ca: string; cert: string; key: string }

/** A CA of the cluster's own and a certificate of its API by it, made once and kept in the directory. */
export const certificates = async (directory: string, apiIp: string): Promise<Certificates> => {
  const read = async (): Promise<Certificates> => {
    const [ca, cert, key] = await Promise.all(
      ['ca.crt', 'api.crt', 'api.key'].map(it => readFile(join(directory, it), 'utf8')),
    )
    return { ca: ca!, cert: cert!, key: key! }
  }
  try {
    return await read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]
  const alternatives = [...names.map(it => `DNS:${it}`), 'IP:127.0.0.1', `IP:${apiIp}`].join(',')
  await writeFile(
    join(directory, 'api.ext'),
    `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
  )
  const openssl = (line: string) => execa('openssl', line.split(' '), { cwd: directory })
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  await openssl(
    `req -x509 ${newKey} -keyout ca.key -out ca.crt -days 3650 -subj /CN=kubernetes-ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign`,
  )
  await openssl(`req ${newKey} -keyout api.key -out api.csr -subj /CN=kube-apiserver`)
  await openssl(
    'x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out api.crt -days 3650 -extfile api.ext',
  )
  return read()
}
