import { firewalld, reloadUfw, ufw } from './firewalls.ts'
import type { Guard } from './guard.ts'
import { everyLogin } from './homes.ts'
import { kernelSettings } from './kernel.ts'
import { network } from './network.ts'
import { rawFirewall } from './raw-firewall.ts'
import { sshd, sshdCheck } from './sshd.ts'

/** What can cut us off. A change in a zone is confirmed by a new login, or the host takes it back. */
export type Zone = 'ufw' | 'firewalld' | 'firewall' | 'sshd' | 'network' | 'login'

const zones: Record<Zone, Omit<Guard, 'seconds'>> = {
  ufw,
  firewalld,
  firewall: rawFirewall,
  sshd,
  network,
  login: { keep: [] },
}

export const zoneNames = Object.keys(zones) as Zone[]

const places: [RegExp, Zone][] = [
  [/^\/etc\/(ssh|default\/ssh|sysconfig\/sshd)(\/|$)/, 'sshd'],
  [/^\/etc\/(ufw|default\/ufw)(\/|$)/, 'ufw'],
  [/^\/etc\/firewalld(\/|$)/, 'firewalld'],
  [/^\/etc\/(nftables(\.conf)?|iptables|sysconfig\/(ip6?tables|nftables\.conf))(\/|$)/, 'firewall'],
  [/^\/etc\/(netplan|network|systemd\/network|NetworkManager|sysconfig\/network(-scripts)?|iproute2)(\/|$)/, 'network'],
  [/\/\.ssh(\/(authorized_keys2?|rc|environment))?$/, 'login'],
  // What every command by SSH reads first.
  [/^\/(root|home\/[^/]+)\/\.(bashrc|zshenv)$/, 'login'],
  [/^\/etc\/(environment|bash\.bashrc|zsh\/zshenv|ld\.so\.preload|passwd|group|g?shadow)$/, 'login'],
  [/^\/etc\/(sudoers|sudoers\.d|pam\.d|security|nsswitch\.conf|hosts\.(allow|deny)|nologin)(\/|$)/, 'login'],
]

/** The zone of a file or directory; null: it cannot cut us off. */
export const zoneOfPath = (path: string): Zone | null => places.find(([at]) => at.test(path))?.[1] ?? null

/** Everything the zone keeps and does. */
export const guardZone = (zone: Zone, seconds: number): Guard => ({ seconds, ...zones[zone] })

/** What a task of its own keeps for itself, and a command may do as well. */
const ofCommands: Partial<typeof zones> = {
  login: everyLogin,
  network: {
    ...network,
    save: `${network.save}\n${kernelSettings.save}`,
    back: `${network.back}\n${kernelSettings.back}`,
  },
}

/** Of a command: all of them at once. What each keeps in memory has names of its own. */
export const guardZones = (names: readonly Zone[], seconds: number): Guard => {
  const all = names.map(it => ofCommands[it] ?? zones[it])
  const both = (part: 'save' | 'back' | 'boot') => all.map(it => it[part] ?? ':').join('\n')
  const keep = [...new Set(all.flatMap(it => it.keep))]
  return { seconds, keep, save: both('save'), back: both('back'), boot: both('boot') }
}

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
