import { gunzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { type BootStep, list } from './boot-step.ts'
import { users } from './cloud-init-users.ts'
import { quote } from './run.ts'

export type FirstBoot = { script: string; packages: string[] }

type Config = Record<string, unknown>

const known = [
  ...['users', 'ssh_authorized_keys', 'ssh_keys', 'ssh_deletekeys', 'disable_root', 'ssh_pwauth', 'hostname', 'fqdn'],
  ...['preserve_hostname', 'write_files', 'packages', 'package_update', 'package_upgrade', 'runcmd', 'bootcmd'],
]

/**
 * cloud-init user data as a shell script with two parts, `early` (before sshd) and `late`, in cloud-init's own order.
 * Never throws: what cannot be read becomes a failing step, as on a server, whose boot goes on without it.
 * @see https://cloudinit.readthedocs.io/en/latest/reference/modules.html
 */
export const firstBoot = (userData: string | null, host: { name: string; authorizedKeys: string[] }): FirstBoot => {
  const { config, script, problems } = read(userData ?? '')
  const failing = (name: string, why: string): BootStep => ({ name, body: `echo ${quote(why)} >&2; exit 1` })
  const guarded = (name: string, make: () => BootStep[]): BootStep[] => {
    try {
      return make()
    } catch (thrown) {
      return [failing(name, String(thrown))]
    }
  }
  const unknown = Object.keys(config).filter(it => !known.includes(it))
  const packages = list(config.packages).map(it => String(Array.isArray(it) ? it[0] : it))
  const files = list(config.write_files) as File[]
  const early = [
    ...problems.map(why => failing('user-data', why)),
    ...unknown.map(it => ({
      name: it,
      body: `echo ${quote(`module for ${it} is not known to this server: skipped`)}`,
    })),
    ...guarded('bootcmd', () => commands('bootcmd', config.bootcmd)),
    ...guarded('write_files', () => files.filter(it => !it.defer).map(writeFile)),
    { name: 'hostname', body: hostname(config, host.name) },
    ...guarded('users', () => users(config, host.authorizedKeys)),
    ...guarded('ssh_keys', () => hostKeys(config.ssh_keys)),
  ]
  const late = [
    ...(packages.length > 0 ? [{ name: 'packages', body: install(packages) }] : []),
    ...guarded('write_files', () => files.filter(it => it.defer).map(writeFile)),
    ...guarded('runcmd', () => commands('runcmd', config.runcmd)),
    ...(script ? [{ name: 'script', body: runScript('user-script', script) }] : []),
  ]
  return { script: shell(early, late), packages }
}

const read = (text: string): { config: Config; script: string | null; problems: string[] } => {
  const first = text.split('\n', 1)[0]!.trim()
  if (text.trim() === '') return { config: {}, script: null, problems: [] }
  if (first.startsWith('#!')) return { config: {}, script: text, problems: [] }
  if (first !== '#cloud-config') {
    return { config: {}, script: null, problems: [`Unhandled non-multipart userdata starting ${first.slice(0, 40)}`] }
  }
  try {
    // cloud-init reads YAML 1.1: 0644 is octal, yes is true
    const config: unknown = parse(text, { version: '1.1' })
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      return { config: config as Config, script: null, problems: [] }
    return { config: {}, script: null, problems: config === null ? [] : ['cloud-config is not a mapping'] }
  } catch (thrown) {
    return { config: {}, script: null, problems: [`cloud-config cannot be read: ${(thrown as Error).message}`] }
  }
}

type File = {
  path: string
  content?: string
  encoding?: string
  permissions?: string | number
  owner?: string
  append?: boolean
  defer?: boolean
}

/** Content travels as base64, so that no shell ever reads it. */
const writeFile = ({ path, content = '', encoding = 'text/plain', permissions, owner, append }: File): BootStep => {
  const parts = encoding.toLowerCase().split('+')
  let bytes = Buffer.from(content)
  if (parts.some(it => it === 'b64' || it === 'base64')) bytes = Buffer.from(content, 'base64')
  if (parts.some(it => it === 'gz' || it === 'gzip')) bytes = gunzipSync(bytes)
  const mode = typeof permissions === 'number' ? permissions.toString(8) : (permissions ?? '0644')
  const to = quote(path)
  const lines = [
    `mkdir -p "$(dirname ${to})"`,
    `base64 -d ${append ? '>>' : '>'}${to} <<'END_OF_FILE'\n${bytes.toString('base64').replace(/.{76}/g, '$&\n')}\nEND_OF_FILE`,
    `chmod ${quote(mode)} ${to}`,
    `chown ${quote(owner ?? 'root:root')} ${to}`,
  ]
  return { name: `write_files ${path}`, body: lines.join('\n') }
}

/** Items are run by one shell script, strings as they are and lists as words; like cloud-init it goes on after a failure. */
const commands = (name: 'bootcmd' | 'runcmd', value: unknown): BootStep[] => {
  if (value == null) return []
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`)
  const lines = value.map(it => (Array.isArray(it) ? it.map(word => quote(String(word))).join(' ') : String(it)))
  return [{ name, body: runScript(name, `#!/bin/sh\n${lines.join('\n')}\n`) }]
}

const runScript = (name: string, text: string) =>
  [
    'mkdir -p /var/lib/cloud/instance/scripts',
    `base64 -d >/var/lib/cloud/instance/scripts/${name} <<'END_OF_FILE'`,
    Buffer.from(text).toString('base64'),
    'END_OF_FILE',
    `chmod 700 /var/lib/cloud/instance/scripts/${name}`,
    `/var/lib/cloud/instance/scripts/${name}`,
  ].join('\n')

const hostname = ({ hostname, fqdn, preserve_hostname }: Config, fallback: string) => {
  if (preserve_hostname === true) return 'true'
  const name = String(hostname ?? (typeof fqdn === 'string' ? fqdn.split('.')[0] : fallback))
  return `printf '%s\\n' ${quote(name)} >/etc/hostname\nprintf '127.0.0.1 localhost\\n127.0.1.1 %s\\n::1 localhost ip6-localhost\\n' ${quote(
    typeof fqdn === 'string' ? `${fqdn} ${name}` : name,
  )} >/etc/hosts`
}

const hostKeys = (value: unknown): BootStep[] =>
  Object.entries((value ?? {}) as Record<string, string>).flatMap(([key, content]) => {
    const [type, part] = key.split('_')
    const path = `/etc/ssh/ssh_host_${type}_key`
    const text = content.endsWith('\n') ? content : `${content}\n`
    if (part === 'private') return [writeFile({ path, content: text, permissions: '0600' })]
    if (part === 'public') return [writeFile({ path: `${path}.pub`, content: text })]
    if (part === 'certificate') return [writeFile({ path: `${path}-cert.pub`, content: text })]
    throw new Error(`${key} is not the name of a host key`)
  })

/** A Debian package with an init script starts it when it is installed. What is missing is fetched by the sandbox. */
const install = (packages: string[]) => `
missing=
for package in ${packages.map(quote).join(' ')}; do
  dpkg-query -W -f '\${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "packages to fetch:$missing"
  echo "$missing" >/run/cloud-init/fetch.new && mv /run/cloud-init/fetch.new /run/cloud-init/fetch
  while [ ! -e /run/cloud-init/fetched ]; do sleep 0.1; done
  [ "$(cat /run/cloud-init/fetched)" = 0 ] || { echo "apt-get failed for:$missing" >&2; exit 1; }
fi
for package in ${packages.map(quote).join(' ')}; do
  if [ -x "/etc/init.d/$package" ]; then update-rc.d "$package" defaults >/dev/null; service "$package" start || :; fi
done`

const shell = (early: BootStep[], late: BootStep[]) => {
  const steps = (all: BootStep[]) =>
    all
      .map(({ name, body }) => `echo ${quote(`-- ${name}`)}\nsh -ec ${quote(body)} || failed ${quote(name)}`)
      .join('\n')
  return `#!/bin/sh
mkdir -p /run/cloud-init /var/lib/cloud/data /var/lib/cloud/instance
errors=/var/lib/cloud/instance/errors
failed() { code=$?; echo "$1: failed with exit code $code" >&2; printf '%s\\n' "$1" >>$errors; }
if [ "$1" = early ]; then
rm -f $errors
${steps(early)}
exit 0
fi
${steps(late)}
list=$(sed 's/[\\\\"]//g; s/.*/"&"/' $errors 2>/dev/null | paste -sd, -)
printf '{"v1": {"datasource": "DataSourceScaleway", "errors": [%s]}}\\n' "$list" >/run/cloud-init/result.json.new
cp /run/cloud-init/result.json.new /var/lib/cloud/data/result.json
mv /run/cloud-init/result.json.new /run/cloud-init/result.json
date >/var/lib/cloud/instance/boot-finished
`
}
