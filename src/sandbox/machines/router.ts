import type { SecurityGroup } from '../ports.ts'
import type { Links } from './links.ts'
import { nft } from './netns.ts'
import { turns } from './run.ts'
import { securityRules } from './security-groups.ts'
import type { World } from './world.ts'

/** Keeps the internet's rules in step with the groups of all servers. */
export const createRouter = (world: World, links: Links) => {
  const groups = new Map<string, SecurityGroup>()
  const turn = turns()
  let inForce: string | null = null
  const apply = () =>
    turn('rules', async () => {
      const body = securityRules(
        `${world.range}`,
        [...groups].map(([port, group]) => ({ port, group })),
      )
      if (body === inForce) return
      await nft(links.internet, [{ name: 'groups', body }])
      inForce = body
    })
  return {
    /** At the start: what was in force for servers that outlived the daemon, then one change for all. */
    remember(netns: string, group: SecurityGroup | null) {
      if (group) groups.set(links.port(netns), group)
    },
    apply,
    guard(netns: string, group: SecurityGroup | null): Promise<void> {
      if (group) groups.set(links.port(netns), group)
      else groups.delete(links.port(netns))
      return apply()
    },
  }
}

export type Router = ReturnType<typeof createRouter>
