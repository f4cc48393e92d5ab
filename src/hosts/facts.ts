import { fields } from './tasks/kind.ts'
import { packageTask } from './tasks/package.ts'
import { type ServiceState, serviceTask } from './tasks/service.ts'

/** What a host says of itself. Packages and services are those that were asked about. */
export type Facts = {
  /** ID, ID_LIKE, VERSION_ID and PRETTY_NAME of os-release: `ubuntu`, [`debian`], `24.04`; '' where it does not say. */
  distribution: string
  like: string[]
  version: string
  name: string
  hostname: string
  kernel: string
  architecture: string
  init: 'systemd' | 'other'
  cores: number
  memoryBytes: number
  interfaces: Interface[]
  /** Of all interfaces but loopback, without prefix, no link-local ones; IPv4 first. */
  addresses: string[]
  /** The version, or null: not installed. */
  packages: Record<string, string | null>
  services: Record<string, ServiceState>
}
/** `addresses` with prefix. Where the host has no `ip`, IPv4 addresses come without their interface. */
export type Interface = { name: string; mac: string; mtu: number; up: boolean; addresses: string[] }

export type Asked = { packages?: string[]; services?: string[] }

/** Reads /proc and /sys, so it needs next to nothing; a part of the one script of a look. */
export const lookFacts = ({
  packages = [],
  services = [],
}: Asked): string => `( [ ! -r /etc/os-release ] || . /etc/os-release
printf 'os %s\\nlike %s\\nversion %s\\nname %s\\n' "$ID" "$ID_LIKE" "$VERSION_ID" "$PRETTY_NAME" )
u=$(uname -nrm)
echo "hostname \${u%% *}"; echo "architecture \${u##* }"; u=\${u#* }; echo "kernel \${u%% *}"
if [ -d /run/systemd/system ]; then echo init systemd; else echo init other; fi
echo "cores $(nproc)"
while read -r k v _; do if [ "$k" = MemTotal: ]; then echo "memory $v"; break; fi; done </proc/meminfo
for i in /sys/class/net/*; do
  [ -d "$i" ] || continue
  read -r mac <"$i/address" || mac=
  read -r mtu <"$i/mtu"; read -r state <"$i/operstate"
  echo "interface \${i##*/} $mtu $state $mac"
done 2>/dev/null
if command -v ip >/dev/null; then ip -o addr show | while read -r _ i _ a _; do echo "address $i $a"; done
else
  while read -r a _ p _ _ i; do echo "hex6 $i $a $p"; done </proc/net/if_inet6
  prev=; while read -r w a b _; do
    case $w$a$b in */32hostLOCAL) echo "address - $prev/32" ;; esac
    [ "$w" != '|--' ] || prev=$a
  done </proc/net/fib_trie
fi 2>/dev/null
${packages.map(name => `( ${packageTask.look({ task: 'package', name })}\n) | sed 's/^/package:${name} /'`).join('\n')}
${services.map(name => `( ${serviceTask.look(service(name))}\n) | sed 's/^/service:${name} /'`).join('\n')}
:`

const service = (name: string) => ({ task: 'service' as const, name, running: true, enabled: true })

export const parseFacts = (output: string, { packages = [], services = [] }: Asked): Facts => {
  const lines = output.split('\n')
  const all = (tag: string) => lines.filter(it => it.startsWith(`${tag} `)).map(it => it.slice(tag.length + 1))
  const said = fields(output)
  const seen = [
    ...all('address').map(it => it.split(' ') as [string, string]),
    ...all('hex6').map(it => fromHex(it.split(' '))),
  ].filter((it, at, list) => list.findIndex(other => other.join() === it.join()) === at)
  const interfaces = all('interface').map((it): Interface => {
    const [name = '', mtu, state, mac = ''] = it.split(' ')
    const addresses = seen.filter(([on]) => on === name).map(([, address]) => address)
    return { name, mac, mtu: Number(mtu), up: state === 'up' || (name === 'lo' && addresses.length > 0), addresses }
  })
  const outward = seen
    .map(([, address]) => address.split('/')[0]!)
    .filter(it => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(it))
  return {
    distribution: said.os ?? '',
    like: (said.like ?? '').split(' ').filter(Boolean),
    version: said.version ?? '',
    name: said.name ?? '',
    hostname: said.hostname ?? '',
    kernel: said.kernel ?? '',
    architecture: said.architecture ?? '',
    init: said.init === 'systemd' ? 'systemd' : 'other',
    cores: Number(said.cores ?? 0),
    memoryBytes: Number(said.memory ?? 0) * 1024,
    interfaces,
    addresses: [...outward.filter(it => !it.includes(':')), ...outward.filter(it => it.includes(':'))],
    packages: Object.fromEntries(
      packages.map(it => [it, packageTask.parse(all(`package:${it}`).join('\n')).version] as const),
    ),
    services: Object.fromEntries(services.map(it => [it, serviceTask.parse(all(`service:${it}`).join('\n'))] as const)),
  }
}

/** `eth0 fe80...(32 digits) 40` as /proc/net/if_inet6 has it, the prefix in hexadecimal. */
const fromHex = ([name = '', digits = '', prefix = '']: string[]): [string, string] => {
  const groups = (digits.match(/.{4}/g) ?? []).map(it => it.replace(/^0+(?=.)/, ''))
  const text = new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
  return [name, `${text}/${Number.parseInt(prefix, 16)}`]
}
