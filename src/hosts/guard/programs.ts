import { cutsOff } from './kernel.ts'
import { zoneOfService } from './services.ts'
import type { Zone } from './zones.ts'

const options = /^-/

/** A call's first word that is no option. */
export const firstWord = (rest: string[]) => rest.find(it => !options.test(it)) ?? ''

const unless = (looks: RegExp, zone: Zone) => (rest: string[]) => (looks.test(rest.join(' ')) ? null : zone)

const services = (rest: string[]): Zone | null =>
  rest.map(it => zoneOfService(it.replace(/[*?].*$/, ''))).find(it => it !== null) ?? null

/** Programs by name, and the zone that a call of one touches: null where it only looks. */
export const programs: { names: RegExp; zone: (rest: string[], name: string) => Zone | null }[] = [
  {
    names: /^(ip6?tables|ebtables|arptables)(-nft|-legacy)?$/,
    zone: unless(/(^|\s)(-[nvx]*[LSCVh][nvx]*|--list(-rules)?|--check|--version|--help)(\s|$)/, 'firewall'),
  },
  {
    names: /^(ip6?tables(-nft|-legacy)?-(restore|apply)|netfilter-persistent)$/,
    zone: unless(/^(--test|-t|save)\b/, 'firewall'),
  },
  {
    names: /^nft$/,
    zone: rest =>
      /^(list|describe|monitor|get)$/.test(firstWord(rest)) ||
      rest.some(it => /^(-[a-z]*[cvVh][a-z]*|--check|--version|--help)$/.test(it))
        ? null
        : 'firewall',
  },
  {
    names: /^ufw$/,
    zone: rest =>
      /^(enable|disable|reload|reset|default|allow|deny|reject|limit|delete|insert|prepend|route|rule|logging)$/.test(
        firstWord(rest),
      ) && !rest.includes('--dry-run')
        ? 'ufw'
        : null,
  },
  {
    names: /^firewall-(offline-)?cmd$/,
    zone: rest =>
      rest.some(it =>
        /^--(add|remove|set|change|new|delete|load|reload|complete-reload|panic-on|panic-off|lockdown|runtime-to-permanent|reset)/.test(
          it,
        ),
      )
        ? 'firewalld'
        : null,
  },
  {
    names: /^ip$/,
    zone(rest) {
      if (rest.some(it => /^-b(atch)?$/.test(it))) return 'network'
      // Its options with a value: the value is taken for the object otherwise.
      const words = rest.filter(
        (it, n) => !options.test(it) && !/^-(n|netns|f|family|rc|rcvbuf|l|loops)$/.test(rest[n - 1] ?? ''),
      )
      const [object = '', verb = 'show'] = words
      return /^(ro?u?t?e?|ru?l?e?|ad?d?r?e?s?s?|li?n?k?|ne?i?g?h?b?o?u?r?|netns|xfrm|tunnel|vrf)$/.test(object) &&
        !/^(sh?o?w?|li?s?t?|ls|ge?t?|sa?v?e?|help|exec|monitor|identify|pids)$/.test(verb)
        ? 'network'
        : null
    },
  },
  {
    names: /^sysctl$/,
    zone: rest => (rest.some(it => it.includes('=') && cutsOff(it.replace(/=.*/, ''))) ? 'network' : null),
  },
  { names: /^(ifup|ifdown|ifreload|wg-quick)$/, zone: unless(/^(--version|--help|-h|-V|strip)\b/, 'network') },
  { names: /^ifconfig$/, zone: rest => (rest.filter(it => !options.test(it)).length > 1 ? 'network' : null) },
  { names: /^route$/, zone: rest => (/^(add|del|delete)$/.test(firstWord(rest)) ? 'network' : null) },
  { names: /^netplan$/, zone: rest => (/^(apply|try|set|rebind)$/.test(firstWord(rest)) ? 'network' : null) },
  {
    names: /^networkctl$/,
    zone: rest => (/^(reload|reconfigure|renew|forcerenew|up|down|delete)$/.test(firstWord(rest)) ? 'network' : null),
  },
  {
    names: /^nmcli$/,
    zone: rest =>
      rest.some(it => /^(up|down|modify|mod|edit|delete|del|add|reload|reapply|connect|disconnect|off|on)$/.test(it))
        ? 'network'
        : null,
  },
  {
    names: /^systemctl$/,
    zone: rest =>
      rest.some(it =>
        /^(start|stop|restart|reload|try-restart|reload-or-restart|try-reload-or-restart|kill|--now)$/.test(it),
      )
        ? services(rest)
        : null,
  },
  {
    names: /^(service|rc-service|invoke-rc\.d)$/,
    zone: ([name = '', verb = '']) => (verb === 'status' ? null : zoneOfService(name)),
  },
  {
    names: /^init\.d\//,
    zone: ([verb = ''], name) => (verb === 'status' ? null : zoneOfService(name.slice('init.d/'.length))),
  },
  { names: /^(pkill|killall)$/, zone: services },
]
