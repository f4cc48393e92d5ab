import { type BootStep, list } from './boot-step.ts'
import { quote } from './run.ts'

type User = {
  name: string
  gecos?: string
  groups?: string | string[]
  primary_group?: string
  shell?: string
  homedir?: string
  uid?: number
  system?: boolean
  no_create_home?: boolean
  lock_passwd?: boolean
  passwd?: string
  hashed_passwd?: string
  plain_text_passwd?: string
  sudo?: string | string[] | false | null
  ssh_authorized_keys?: string[] | string
}

const refused =
  'no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="echo \'Please login as another user.\';echo;sleep 1;exit 142" '

/** Accounts and who may log in to them. Keys of the project and of the user data go to root, as on Scaleway's images. */
export const users = (config: Record<string, unknown>, projectKeys: string[]): BootStep[] => {
  const wanted = list(config.users).filter((it): it is User => typeof it === 'object' && it !== null && 'name' in it)
  const keys = [...projectKeys, ...list(config.ssh_authorized_keys).map(String)]
  const root = config.disable_root === true ? keys.map(it => refused + it) : keys
  return [
    ...wanted.filter(it => it.name !== 'root').map(account),
    { name: 'ssh_authorized_keys', body: authorize('root', '/root', root) },
    ...wanted.filter(it => it.name === 'root').map(it => keysOf(it, '/root')),
    ...(typeof config.ssh_pwauth === 'boolean' ? [passwords(config.ssh_pwauth)] : []),
  ]
}

const account = (user: User): BootStep => {
  const name = quote(user.name)
  const groups = typeof user.groups === 'string' ? user.groups.split(/\s*,\s*/) : (user.groups ?? [])
  const home = user.homedir ?? `/home/${user.name}`
  const options = [
    ...(user.gecos ? ['-c', quote(user.gecos)] : []),
    ...(user.shell ? ['-s', quote(user.shell)] : []),
    ...(user.uid === undefined ? [] : ['-u', String(user.uid)]),
    ...(user.primary_group ? ['-g', quote(user.primary_group)] : []),
    ...(groups.length > 0 ? ['-G', quote(groups.join(','))] : []),
    ...(user.system ? ['-r'] : []),
    ...['-d', quote(home), user.no_create_home || user.system ? '-M' : '-m'],
  ]
  const needed = [...groups, ...(user.primary_group ? [user.primary_group] : [])]
  const password = user.hashed_passwd ?? user.passwd
  const lines = [
    ...needed.map(it => `getent group ${quote(it)} >/dev/null || groupadd ${quote(it)}`),
    `id ${name} >/dev/null 2>&1 || useradd ${options.join(' ')} ${name}`,
    ...(password ? [`printf '%s:%s\\n' ${name} ${quote(password)} | chpasswd -e`] : []),
    ...(user.plain_text_passwd ? [`printf '%s:%s\\n' ${name} ${quote(user.plain_text_passwd)} | chpasswd`] : []),
    // `*` and not `!`: no password fits, but sshd lets a key in
    ...(user.lock_passwd === false || password ? [] : [`usermod -p '*' ${name}`]),
    ...sudo(user),
    keysOf(user, home).body,
  ]
  return { name: `users ${user.name}`, body: lines.join('\n') }
}

const sudo = ({ name, sudo }: User): string[] => {
  const rules = sudo ? list(sudo).map(it => `${name} ${String(it)}`) : []
  if (rules.length === 0) return []
  const file = '/etc/sudoers.d/90-cloud-init-users'
  return ['mkdir -p /etc/sudoers.d', ...rules.map(it => `printf '%s\\n' ${quote(it)} >>${file}`), `chmod 440 ${file}`]
}

const keysOf = (user: User, home: string): BootStep => ({
  name: `users ${user.name}`,
  body: authorize(user.name, home, list(user.ssh_authorized_keys).map(String)),
})

const authorize = (user: string, home: string, keys: string[]): string => {
  if (keys.length === 0) return 'true'
  const file = quote(`${home}/.ssh/authorized_keys`)
  return [
    `mkdir -p ${quote(`${home}/.ssh`)}`,
    `chmod 700 ${quote(`${home}/.ssh`)}`,
    `touch ${file}`,
    ...keys.map(it => `grep -qxF ${quote(it.trim())} ${file} || printf '%s\\n' ${quote(it.trim())} >>${file}`),
    `chmod 600 ${file}`,
    `chown -R ${quote(user)}: ${quote(`${home}/.ssh`)}`,
  ].join('\n')
}

const passwords = (allowed: boolean): BootStep => ({
  name: 'ssh_pwauth',
  body: `echo 'PasswordAuthentication ${allowed ? 'yes' : 'no'}' >/etc/ssh/sshd_config.d/50-cloud-init.conf`,
})
