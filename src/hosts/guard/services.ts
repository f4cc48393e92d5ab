import type { Guard } from './guard.ts'
import { guardZone, type Zone } from './zones.ts'

/** Services by which we come in or that decide who may; null: nothing to keep besides whether they run. */
const places: [RegExp, Zone | null][] = [
  [/^sshd?(\.socket)?$/, null],
  [/^(networking|network|systemd-networkd|NetworkManager|wg-quick@.+|openvpn.*|tailscaled)$/, 'network'],
  [/^ufw$/, 'ufw'],
  [/^firewalld$/, 'firewalld'],
  [/^(nftables|iptables|ip6tables|netfilter-persistent|fail2ban)$/, 'firewall'],
]

const placeOf = (name: string) => places.find(([at]) => at.test(name.replace(/\.service$/, '')))

/** Of one by which we come in or that decides who may; null: it cannot cut us off. */
export const zoneOfService = (name: string): Zone | null => {
  const found = placeOf(name)
  return found ? (found[1] ?? 'sshd') : null
}

export const isGuarded = (name: string): boolean => placeOf(name) !== undefined

export type BringBack = {
  isRunning: string
  isEnabled: string
  bring: (state: { running: boolean; enabled: boolean }) => string
}

/** The guard of a change to a service; null: it cannot cut us off. Whether it ran and was enabled comes back first. */
export const guardService = (name: string, { isRunning, isEnabled, bring }: BringBack, seconds = 30): Guard | null => {
  const zone = placeOf(name)?.[1]
  if (zone === undefined) return null
  // It is brought in force by the service itself.
  const { inForce: _, ...kept } = zone ? guardZone(zone, seconds) : { seconds, keep: [] as string[] }
  const ways = [true, false].flatMap(running => [true, false].map(enabled => ({ running, enabled })))
  const back = `case $([ ! -e was-running ] || printf running).$([ ! -e was-enabled ] || printf enabled) in
${ways.map(it => `${it.running ? 'running' : ''}.${it.enabled ? 'enabled' : ''}) ( ${bring(it)}\n) || : ;;`).join('\n')}
esac`
  return {
    ...kept,
    save: `if ${isRunning}; then : >was-running; fi
if ${isEnabled}; then : >was-enabled; fi
${kept.save ?? ':'}`,
    back: `${back}\n${kept.back ?? ':'}`,
    boot: `${kept.boot ?? ':'}\n${back}`,
  }
}
