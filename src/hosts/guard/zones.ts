import { firewalld, reloadUfw, ufw } from './firewalls.ts'
import type { Guard } from './guard.ts'
import { network } from './network.ts'
import { sshd, sshdCheck } from './sshd.ts'

/** What can cut us off. A change in a zone is confirmed by a new login, or the host takes it back. */
export type Zone = 'ufw' | 'firewalld' | 'sshd' | 'network' | 'login'

const zones: Record<Zone, Omit<Guard, 'seconds'>> = { ufw, firewalld, sshd, network, login: { keep: [] } }

const places: [RegExp, Zone][] = [
  [/^\/etc\/(ssh|default\/ssh|sysconfig\/sshd)(\/|$)/, 'sshd'],
  [/^\/etc\/(ufw|default\/ufw)(\/|$)/, 'ufw'],
  [/^\/etc\/firewalld(\/|$)/, 'firewalld'],
  [/^\/etc\/(netplan|network|systemd\/network|NetworkManager|sysconfig\/network(-scripts)?|iproute2)(\/|$)/, 'network'],
  [/\/\.ssh(\/authorized_keys2?)?$/, 'login'],
  [/^\/etc\/(sudoers|sudoers\.d|pam\.d|security|nsswitch\.conf|hosts\.(allow|deny)|nologin)(\/|$)/, 'login'],
]

/** The zone of a file or directory; null: it cannot cut us off. */
export const zoneOfPath = (path: string): Zone | null => places.find(([at]) => at.test(path))?.[1] ?? null

/** Everything the zone keeps and does. */
export const guardZone = (zone: Zone, seconds: number): Guard => ({ seconds, ...zones[zone] })

/** The guard of a change to this path; null: it cannot cut us off. */
export const guardPath = (path: string, seconds = 30): Guard | null => {
  const zone = zoneOfPath(path)
  if (!zone) return null
  const guard = guardZone(zone, seconds)
  const kept = guard.keep.some(it => path === it || path.startsWith(`${it}/`))
  const check = zone === 'sshd' ? sshdCheck(path) : undefined
  // UFW's own task speaks to ufw, which brings in force what it is told; a file of UFW's is only read at a reload.
  const inForce = zone === 'ufw' ? reloadUfw : guard.inForce
  return {
    ...guard,
    ...(inForce && { inForce }),
    keep: kept ? guard.keep : [...guard.keep, path],
    ...(check && { check }),
  }
}
