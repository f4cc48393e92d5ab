import { existsSync } from 'node:fs'
import { inNet, ip, makeNetns } from './netns.ts'
import { turns } from './run.ts'
import { linkName, operatorLink, services, type World } from './world.ts'

/** What connects hosts: a bridge for each private network, a router for everything public. */
export const createLinks = (world: World) => {
  const turn = turns()
  const fabric = `${world.prefix}fabric`
  const internet = `${world.prefix}internet`
  const { router, dns, whatIsMyIp, partner, web, operator, operators } = services(world)
  const bridges = new Set<string>()

  /** The bridge of a private network, made when the first one asks. */
  const bridge = (networkId: string) =>
    turn('fabric', async () => {
      const name = linkName('b', networkId)
      if (bridges.has(name)) return name
      const there = (await inNet(fabric, 'ip', ['-o', 'link', 'show', name], { accept: [0, 1] })).includes(name)
      // no spanning tree, no forward delay: a port carries traffic at once
      if (!there) {
        const options = `type bridge forward_delay 0 stp_state 0 mcast_snooping 0`
        await ip([`link add ${name} ${options}`, `link set ${name} up`], { ns: fabric })
      }
      bridges.add(name)
      return name
    })

  return {
    fabric,
    internet,
    /** Both namespaces, the router's own addresses, and the one link of the machine itself. */
    async up() {
      await makeNetns(fabric)
      await makeNetns(internet, { forward: true })
      const own = [router, dns, whatIsMyIp, partner, web].map(it => `addr replace ${it}/32 dev lo`)
      await ip(own, { ns: internet })
      const link = operatorLink(world)
      if (!existsSync(`/sys/class/net/${link}`)) {
        await ip([`link add ${link} type veth peer name operator netns ${internet}`])
        await ip(['link set operator up', `route replace ${operators} dev operator src ${router}`], { ns: internet })
      }
      await ip([
        `addr replace ${operator}/32 dev ${link}`,
        `link set ${link} up`,
        `route replace ${world.range} via ${router} dev ${link} onlink src ${operator}`,
      ])
    },
    bridge,
    dropBridge: (networkId: string) =>
      turn('fabric', async () => {
        const name = linkName('b', networkId)
        bridges.delete(name)
        await ip([`link del ${name}`], { ns: fabric, force: true })
      }),
    /** A link of a host in a private network; one of the same name that is there already is made anew. */
    async plug(netns: string, device: string, networkId: string, address: string, mac?: string) {
      const port = linkName('n', netns, device)
      const to = await bridge(networkId)
      await ip([`link del ${port}`], { ns: fabric, force: true })
      const peer = `name ${device} ${mac ? `address ${mac} ` : ''}netns ${netns}`
      await ip([`link add ${port} type veth peer ${peer}`, `link set ${port} master ${to} up`], {
        ns: fabric,
      })
      await ip([`addr add ${address} dev ${device}`, `link set ${device} up`], { ns: netns })
    },
    async unplug(netns: string, device: string) {
      await ip([`link del ${linkName('n', netns, device)}`], { ns: fabric, force: true })
    },
    /** Where a host meets the internet, seen from there. */
    port: (netns: string) => linkName('p', netns),
    /** A host's eth0 with its public addresses. */
    async publish(netns: string, addresses: string[]) {
      const port = linkName('p', netns)
      await ip([`link del ${port}`], { ns: internet, force: true })
      if (addresses.length === 0) return
      const peer = `name eth0 netns ${netns}`
      await ip([`link add ${port} type veth peer ${peer}`, `link set ${port} up`], { ns: internet })
      await ip([...addresses.map(it => `addr add ${it}/32 dev eth0`), 'link set eth0 up'], { ns: netns })
      // replace: an address that has just left another host may not have gone from there yet
      await ip(
        addresses.map(it => `route replace ${it}/32 dev ${port}`),
        { ns: internet },
      )
    },
    /** Changes the addresses of a host that stays on the internet: connections of those that stay live on. */
    async readdress(netns: string, before: string[], after: string[]) {
      const port = linkName('p', netns)
      const come = after.filter(it => !before.includes(it))
      const go = before.filter(it => !after.includes(it))
      await ip(
        come.map(it => `addr add ${it}/32 dev eth0`),
        { ns: netns },
      )
      await ip(
        come.map(it => `route replace ${it}/32 dev ${port}`),
        { ns: internet },
      )
      await ip(
        go.map(it => `addr del ${it}/32 dev eth0`),
        { ns: netns, force: true },
      )
      await ip(
        go.map(it => `route del ${it}/32 dev ${port}`),
        { ns: internet, force: true },
      )
    },
    defaultViaInternet: (netns: string, source: string) =>
      ip([`route replace default via ${router} dev eth0 onlink src ${source}`], { ns: netns }),
  }
}

export type Links = ReturnType<typeof createLinks>
