import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Lab } from './lab.ts'

/** Runs the peer's playbook on the first `n` hosts, and says on how many hosts it changed something. */
export type Peer = (n: number, lifetime: number) => Promise<number>

/** Or why there is none. `peers`: a folder with ansible/site.yml and ansible/ansible.cfg. */
export const ansible = async (lab: Lab, peers: string | undefined): Promise<Peer | string> => {
  if (!peers) return 'Ansible was left out: EGRESS_BENCH_PEERS names no folder with its playbook'
  const folder = join(peers, 'ansible')
  if (!existsSync(join(folder, 'site.yml'))) return `Ansible was left out: there is no ${folder}/site.yml`
  const found = await execa('ansible-playbook', ['--version'], { reject: false })
  if (found.exitCode !== 0) return 'Ansible was left out: it is not installed (apt install ansible-core python3-apt)'
  return async (n, lifetime) => {
    const known = join(lab.directory, 'known_hosts')
    const inventory = join(lab.directory, `inventory-${n}`)
    const hosts = lab.hosts.slice(0, n).map(it => it.address)
    writeFileSync(known, hosts.map(it => `${it.address} ${it.hostKey}\n`).join(''))
    writeFileSync(
      inventory,
      `[proxies]\n${hosts.map((it, at) => `h${at + 1} ansible_host=${it.address} ansible_ssh_private_key_file=${it.identity}\n`).join('')}
[proxies:vars]\nansible_user=root\n`,
    )
    const control = join(lab.directory, 'cp')
    mkdirSync(control, { recursive: true })
    const { stdout, exitCode } = await execa(
      'ansible-playbook',
      ['-i', inventory, join(folder, 'site.yml'), '-e', `ufw_mode=template squid_shutdown_lifetime=${lifetime}`],
      {
        reject: false,
        all: true,
        stdin: 'ignore',
        timeout: 600_000,
        env: {
          ANSIBLE_CONFIG: join(folder, 'ansible.cfg'),
          ANSIBLE_HOME: join(lab.directory, 'home'),
          ANSIBLE_LOCAL_TEMP: join(lab.directory, 'home/tmp'),
          ANSIBLE_SSH_CONTROL_PATH_DIR: control,
          ANSIBLE_NOCOLOR: '1',
          // OpenSSH's usual key exchange costs its client 0.2 s a host.
          ANSIBLE_SSH_EXTRA_ARGS: `-F none -o UserKnownHostsFile=${known} -o IdentitiesOnly=yes -o KexAlgorithms=curve25519-sha256`,
        },
      },
    )
    await forget(
      hosts.map(it => it.address),
      control,
    )
    if (exitCode !== 0) throw new Error(`Ansible failed:\n${stdout.slice(-2000)}`)
    return [...stdout.matchAll(/changed=([1-9]\d*)/g)].length
  }
}

/** Ends the connections it kept: minutes later, a run would find none. */
const forget = async (addresses: string[], control: string) => {
  const sockets = readdirSync(control)
  await Promise.all(
    sockets.map(it =>
      execa('ssh', ['-F', 'none', '-o', `ControlPath=${join(control, it)}`, '-O', 'exit', addresses[0]!], {
        reject: false,
      }),
    ),
  )
}
