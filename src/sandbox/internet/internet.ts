import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Backgrounds } from '../machines/background.ts'
import { put } from '../machines/files.ts'
import { ask } from '../machines/socket.ts'
import { services, type World } from '../machines/world.ts'
import type { Authority } from './authority.ts'
import { zone } from './names.ts'

/** Starts the internet's name server and web servers in its namespace, or finds them running. */
export const startInternet = async (
  world: World,
  { certificate, key }: Authority,
  background: Backgrounds,
  admitted: string | null,
) => {
  mkdirSync(world.run, { recursive: true, mode: 0o700 })
  const netns = `${world.prefix}internet`
  const at = services(world)
  const socket = join(world.run, 'internet.sock')
  const { hosts, domains } = zone(world)
  const hostsFile = join(world.hosts, 'internet-names')
  put(hostsFile, hosts)
  const options = [
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--pid-file=', '--log-facility=-'],
    ...['--no-resolv', '--no-hosts', `--addn-hosts=${hostsFile}`, `--listen-address=${at.dns}`, '--bind-interfaces'],
    // names nobody has do not exist; without this they would be refused, and resolvers would try again
    ...['--local-ttl=5', '--address=/#/', ...domains.map(it => `--address=${it}`)],
  ]
  const settings = { ...pick(at), certificate, key, socket, admitted: null }
  const program = join(import.meta.dirname, 'web.ts')
  const admit = async (address: string | null): Promise<void> => {
    await ask(socket, 'PUT', '/partner', { admitted: address })
  }
  await Promise.all([
    background.keep({ name: 'dns', netns, command: ['/usr/sbin/dnsmasq', ...options] }),
    // Its socket says little: it may be an older process's, or bound and not listened to yet.
    background.keep({ name: 'web', netns, command: [process.execPath, program, JSON.stringify(settings)] }, () =>
      admit(admitted).then(
        () => true,
        () => false,
      ),
    ),
  ])
  return { admit }
}

const pick = ({ whatIsMyIp, partner, web }: ReturnType<typeof services>) => ({ whatIsMyIp, partner, web })
