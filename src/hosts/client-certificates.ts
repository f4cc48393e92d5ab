import type { Task } from './tasks/all.ts'
import type { FileTask } from './tasks/file.ts'

/** Whose certificates a tenant's port takes. PEM, and nothing secret in it. */
export type ClientCertificates = {
  ca: string
  /** What that CA has revoked; one that is overdue lets nobody in. */
  crl?: string
  /** The tenant's own: a common name that is all of the subject, or a whole subject: `/O=bank/CN=client-a`. */
  names: string[]
}

export type CertifiedTenant = { name: string; port: number; certificates?: ClientCertificates | undefined }

/** What clients must trust to know the proxy; anybody may read it. Its key never leaves the host, nor root. */
export const authorityFile = '/etc/squid/egress/proxy-ca.crt'
const authorityKey = '/etc/squid/egress/proxy-ca.pem'
/** Key and certificate that clients see. */
export const servedCertificate = '/etc/squid/egress/proxy-tls.pem'

export const handshakeLog = '/var/log/squid/handshakes.log'

const days = { authority: 3650, served: 397, renewed: 60 }

export const clientsOf = (tenant: string) => ({
  ca: `/etc/squid/egress/${tenant}.clients.crt`,
  crl: `/etc/squid/egress/${tenant}.clients.crl`,
})

/** What squid.conf says of a port, and of the names that belong to its tenant. */
export const portWords = ({ name, certificates }: CertifiedTenant) => {
  if (!certificates) return null
  const { names, crl } = certificates
  const files = clientsOf(name)
  return {
    ca: files.ca,
    crl: crl === undefined ? null : files.crl,
    // The common name and all that the subject says: either alone can be made to look like another.
    names: names.map(it => /\/CN=([^/]+)/.exec(it)?.[1] ?? it),
    subjects: names.map(it => (it.startsWith('/') ? it : `/CN=${it}`)),
  }
}

/** For exporters, which have no certificate: a port that only the host itself reaches. */
export const loopbackPort = (ports: readonly number[]): number => {
  for (let port = 3127; ; port--) if (!ports.includes(port)) return port
}

type MakeFile = (path: string, content: string, more?: Partial<FileTask>) => Task

/** Files of the tenants, and the proxy's own authority and certificate: made on the host, renewed there by any run. */
export const certificateTasks = (
  hostName: string,
  names: readonly string[],
  tenants: readonly CertifiedTenant[],
  file: MakeFile,
  notify: string[],
): Task[] => {
  const certified = tenants.filter(it => it.certificates)
  if (certified.length === 0) return []
  const said = [...new Set([hostName, ...names])]
  return [
    {
      ...{ task: 'command', name: 'authority of the proxy', notify },
      unless: `[ -s ${authorityKey} ] && grep -qxF '${mark(said)}' ${authorityFile}`,
      run: makeAuthority(hostName, said),
    },
    {
      ...{ task: 'command', name: 'certificate that clients see', notify },
      unless: `grep -qxF '${mark(said)}' ${servedCertificate} &&
openssl x509 -in ${servedCertificate} -noout -checkend ${days.renewed * 86400} &&
openssl verify -CAfile ${authorityFile} ${servedCertificate}`,
      run: makeServed(hostName, said),
    },
    ...certified.flatMap(({ name, certificates }): Task[] => {
      const { ca, crl } = clientsOf(name)
      return [
        file(ca, certificates!.ca, { check: 'openssl x509 -in {} -noout', notify }),
        ...(certificates!.crl === undefined ? [] : [file(crl, certificates!.crl, { check: checkCrl(ca), notify })]),
      ]
    }),
  ]
}

const mark = (names: readonly string[]) => `# names: ${names.join(' ')}`

const isAddress = (it: string) => /^[\d.]+$/.test(it)

const fresh = `umask 077
cd /etc/squid/egress
d=$(mktemp -d .new.XXXXXX)
trap 'rm -rf -- "$d"' EXIT`
const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

/** Good for the proxy's own names alone: whoever took it could pose as nobody else to those who trust it. */
const makeAuthority = (hostName: string, names: string[]) => `${fresh}
cat >"$d/conf" <<'CONF'
[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
[dn]
CN = egress proxy ${hostName}
[ext]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
nameConstraints = critical,${names.map(it => `permitted;${isAddress(it) ? `IP:${it}/255.255.255.255` : `DNS:${it}`}`).join(',')}
CONF
openssl req -x509 ${newKey} -days ${days.authority} -config "$d/conf" -keyout "$d/key" -out "$d/crt" 2>"$d/said" || { cat "$d/said"; exit 1; }
{ echo '${mark(names)}'; cat "$d/crt"; } >"$d/public"
chmod 644 "$d/public"
mv -f "$d/key" ${authorityKey}
mv -f "$d/public" ${authorityFile}`

const makeServed = (hostName: string, names: string[]) => `${fresh}
cat >"$d/ext" <<'CONF'
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = ${names.map(it => `${isAddress(it) ? 'IP' : 'DNS'}:${it}`).join(',')}
CONF
{ openssl req -new ${newKey} -subj ${`/CN=${hostName}`} -keyout "$d/key" -out "$d/csr" &&
openssl x509 -req -in "$d/csr" -CA ${authorityFile} -CAkey ${authorityKey} -set_serial "0x$(openssl rand -hex 16)" \\
  -sha256 -days ${days.served} -extfile "$d/ext" -out "$d/crt"; } >"$d/said" 2>&1 || { cat "$d/said"; exit 1; }
{ echo '${mark(names)}'; cat "$d/crt" "$d/key"; } >"$d/pem"
mv -f "$d/pem" ${servedCertificate}`

/** One of another CA, or one that is overdue, would let nobody in. */
const checkCrl = (ca: string) =>
  `( openssl crl -in {} -CAfile ${ca} -noout 2>&1 | grep -q 'verify OK' || { echo 'it is not signed by the CA of the clients'; exit 1; }
next=$(openssl crl -in {} -noout -nextupdate); [ "$(date -d "\${next#*=}" +%s)" -gt "$(date +%s)" ] || { echo "it is overdue since \${next#*=}"; exit 1; } )`
