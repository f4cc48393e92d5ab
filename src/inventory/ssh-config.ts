import type { Reached } from './dynamic.ts'

/** A bastion in front of all hosts. */
export type Bastion = {
  address: string
  port: number
  user: string
  identity: string
  hostKeys: string[]
  /** Files that name its key, where `hostKeys` do not. */
  knownHosts?: string[] | undefined
}

/**
 * A configuration for OpenSSH's `-F`, and the host keys it holds the hosts to: by our names for them, so that an address
 * that moves keeps its key. Ansible, `ssh` and `scp` then reach what we reach, as strictly as we do.
 */
export const sshConfig = (
  reached: readonly Reached[],
  { knownHosts, bastion }: { knownHosts: string; bastion?: Bastion },
): { config: string; knownHosts: string } => {
  const hosts = [
    ...(bastion ? [{ host: bastionName, names: [bastionName], ...bastion, jump: '' }] : []),
    ...reached.map(it => ({
      ...it,
      names: [it.host, it.address],
      jump: it.jump ?? (bastion ? bastionName : ''),
      knownHosts: it.knownHosts,
    })),
  ]
  return {
    config: [
      '# Written by kapsule-egress for Ansible and for ssh -F; written anew by inventory.mjs --list.',
      ...hosts.flatMap(it => [
        `Host ${[...new Set(it.names)].join(' ')}`,
        `  HostName ${it.address}`,
        `  Port ${it.port}`,
        `  User ${it.user}`,
        `  IdentityFile ${quoted(it.identity)}`,
        '  IdentitiesOnly yes',
        '  StrictHostKeyChecking yes',
        ...(it.hostKeys.length > 0
          ? [`  HostKeyAlias ${aliasOf(it.host)}`, `  UserKnownHostsFile ${quoted(knownHosts)}`]
          : it.knownHosts
            ? [`  UserKnownHostsFile ${it.knownHosts.map(quoted).join(' ')}`]
            : []),
        ...(it.jump ? [`  ProxyJump ${it.jump}`] : []),
      ]),
      '',
    ].join('\n'),
    knownHosts: hosts
      .flatMap(it => it.hostKeys.map(key => `${aliasOf(it.host)} ${key.trim().split(/\s+/).slice(0, 2).join(' ')}\n`))
      .join(''),
  }
}

const bastionName = 'egress-bastion'

/** No other file's entry for the same name is meant. */
const aliasOf = (host: string) => `${host}.kapsule-egress`

/** ssh_config(5) has double quotes and knows no way to write one inside. */
const quoted = (path: string) => `"${path.replaceAll('%', '%%')}"`
