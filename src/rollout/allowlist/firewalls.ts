import { commandFirewall } from './command.ts'
import { crunchyBridge } from './crunchybridge.ts'
import type { Firewall, FirewallRef, Firewalls } from './firewall.ts'

type Cloud = Extract<FirewallRef, { provider: 'scaleway-rdb' | 'kapsule' }>

type Options = {
  /** Where commands run. */
  root: string
  signal: AbortSignal
  onSecret: (secret: string) => void
  /** The lists that are kept at Scaleway: handed in, this room knows no cloud. */
  cloud: (ref: Cloud) => Firewall
}

export const createFirewalls =
  ({ root, signal, onSecret, cloud }: Options): Firewalls =>
  ref => {
    switch (ref.provider) {
      case 'crunchybridge':
        return crunchyBridge({ ...ref, onSecret }, signal)
      case 'command':
        return commandFirewall({ ...ref, root }, signal)
      default:
        return cloud(ref)
    }
  }

/** Those that ask before each change. What `leads` throws is thrown instead of changing. */
export const ledFirewalls =
  (firewalls: Firewalls, leads: () => Promise<void>): Firewalls =>
  ref => {
    const firewall = firewalls(ref)
    return {
      ...firewall,
      add: async it => {
        await leads()
        return firewall.add(it)
      },
      remove: async it => {
        await leads()
        return firewall.remove(it)
      },
    }
  }
