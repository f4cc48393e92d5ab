import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Backgrounds } from '../machines/background.ts'
import { put } from '../machines/files.ts'
import { nft } from '../machines/netns.ts'
import { turns } from '../machines/run.ts'
import { ask } from '../machines/socket.ts'
import { services, type World } from '../machines/world.ts'
import type { Authority } from './authority.ts'
import { zone } from './names.ts'
import { databasePort, partnerRules } from './partner-rules.ts'

/** Starts the internet's name server and web servers in its namespace, or finds them running. */
export const startInternet = async (
  world: World,
  { certificate, key }: Authority,
  background: Backgrounds,
  admitted: readonly string[],
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
  const settings = { ...pick(at), database: databasePort, certificate, key, socket }
  const program = join(import.meta.dirname, 'web.ts')
  /** Ranges: who hears an answer of the partner's web, and whose packets reach its database. */
  const admit = (ranges: readonly string[]): Promise<void> =>
    turn('partner', async () => {
      await filter(ranges)
      await tell(ranges)
    })
  const filter = (ranges: readonly string[]) =>
    nft(netns, [{ name: 'partner', body: partnerRules(at.partner, ranges) }])
  const tell = (ranges: readonly string[]) => ask(socket, 'PUT', '/partner', { admitted: ranges })
  const turn = turns()
  await filter(admitted)
  await Promise.all([
    background.keep({ name: 'dns', netns, command: ['/usr/sbin/dnsmasq', ...options] }),
    // Its socket says little: it may be an older process's, or bound and not listened to yet.
    background.keep({ name: 'web', netns, command: [process.execPath, program, JSON.stringify(settings)] }, () =>
      tell(admitted).then(
        () => true,
        () => false,
      ),
    ),
  ])
  return { admit }
}

const pick = ({ whatIsMyIp, partner, web }: ReturnType<typeof services>) => ({ whatIsMyIp, partner, web })
