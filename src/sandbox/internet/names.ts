import { services, type World } from '../machines/world.ts'

const seesAddress = ['whatismyip.example', 'ifconfig.example']
const partners = ['api.partner.example']
const web = ['github.com', 'api.github.com', 'raw.githubusercontent.com', 'example.com', 'denied.example']

export const httpsNames = [...seesAddress, ...partners, ...web]
export const whatIsMyIpUrls = seesAddress.flatMap(it => [`http://${it}/`, `https://${it}/`])

/** Public names that answer addresses no proxy may go to, alone and behind an honest one. */
const traps = (honest: string): [string, string[]][] => [
  ['metadata.evil.example', ['169.254.169.254']],
  ['inside.evil.example', ['172.16.28.8']],
  ['loopback.evil.example', ['127.0.0.1']],
  ['mixed.evil.example', [honest, '172.16.28.8']],
]

/** The zone of the sandbox's internet in hosts(5) form, and the domains whose every name is one web server. */
export const zone = (world: World): { hosts: string; domains: string[] } => {
  const at = services(world)
  const lines: [string, string[]][] = [
    ...seesAddress.map((it): [string, string[]] => [it, [at.whatIsMyIp]]),
    ...partners.map((it): [string, string[]] => [it, [at.partner]]),
    ...traps(at.web),
  ]
  const hosts = lines.flatMap(([name, addresses]) => addresses.map(address => `${address} ${name}\n`)).join('')
  return { hosts, domains: web.map(it => `/${it}/${at.web}`) }
}
