import type { Instancev1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create, field, update } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { refuseOrphan } from './orphan.ts'
import { become, insist, type Waiter } from './poll.ts'
import { bodyOf, isInUse, orNull, statusOf } from './problems.ts'
import { linesIn, linesOf, parseRule, ruleChanges, type SecurityRule } from './security-rules.ts'
import { states } from './states.ts'
import { contextTag, isOurs, lostTags, mendTags, tagChange, tagsOf, theOne, type Untagged } from './tags.ts'
import { listHere } from './zones.ts'

export type SecurityGroupWant = {
  name: string
  inboundDefault: 'accept' | 'drop'
  outboundDefault: 'accept' | 'drop'
  rules: SecurityRule[]
  zone?: string
}
/** `rules`: one line each, in order; the order within a direction counts. */
export type SecurityGroupLive = Untagged & {
  id: string
  zone?: string
  name: string
  inbound: string
  outbound: string
  rules: string[]
}

const list = ({ instance, projectId, context }: Scaleway, tags = [contextTag(context)]) =>
  instance.listSecurityGroups({ project: projectId, tags }).all()

const shared = (scaleway: Scaleway): Promise<Instancev1.SecurityGroup[]> =>
  listHere(scaleway, 'security-group', here => list(here))

/** This list has no total, so the SDK's `.all()` would stop after its first page. */
const listRules = async ({ instance }: Scaleway, securityGroupId: string): Promise<Instancev1.SecurityGroupRule[]> => {
  const all: Instancev1.SecurityGroupRule[] = []
  for (let page = 1; ; page++) {
    const { rules } = await instance.listSecurityGroupRules({ securityGroupId, perPage: 100, page })
    all.push(...rules)
    if (rules.length < 100) return all
  }
}

const sharedRules = (scaleway: Scaleway, id: string) =>
  scaleway.lists.shared(`security-group-rule ${id}`, () => listRules(scaleway, id))

const see = (group: Instancev1.SecurityGroup, rules: Instancev1.SecurityGroupRule[]): SecurityGroupLive => ({
  id: group.id,
  zone: group.zone,
  name: group.name,
  inbound: group.inboundDefaultPolicy,
  outbound: group.outboundDefaultPolicy,
  rules: linesIn(rules),
})

/**
 * What a server may exchange with the internet; nothing here guards one private network from within. Each zone has
 * its own, so the zone is part of what it is known by.
 */
export const securityGroupKind: Kind<SecurityGroupWant, SecurityGroupLive, Scaleway> = {
  name: 'security-group',
  async ahead(scaleway) {
    const groups = (await shared(scaleway)).filter(it => isOurs(scaleway, it))
    await Promise.all(groups.map(({ id, zone }) => sharedRules(scaleway.at(zone), id)))
  },
  async read({ name, zone }, scaleway, report) {
    const here = scaleway.at(zone)
    const all = (await shared(scaleway)).filter(it => it.zone === here.zone)
    const found = theOne(scaleway, 'security group', name, all)
    if (!found) return refuseOrphan(here, report, 'security group', name, tags => list(here, tags))
    return { ...see(found, await sharedRules(here, found.id)), ...lostTags(scaleway, name, found.tags) }
  },
  diff(want, live) {
    const what = `security group ${want.name}`
    if (!live) return create(what)
    return update(what, [
      field('name', live.name, want.name),
      field('inbound default', live.inbound, want.inboundDefault),
      field('outbound default', live.outbound, want.outboundDefault),
      ruleChanges(live.rules, linesOf(want.rules)),
      tagChange(live),
    ])
  },
  async apply(want, clients, _live, report) {
    const scaleway = clients.at(want.zone)
    const { name, inboundDefault: inboundDefaultPolicy, outboundDefault: outboundDefaultPolicy } = want
    const made = await makeOnce(report, {
      look: async () => theOne(scaleway, 'security group', name, await list(scaleway)),
      make: async () => {
        const { securityGroup } = await scaleway.instance.createSecurityGroup({
          name,
          description: '',
          tags: tagsOf(scaleway, name),
          project: scaleway.projectId,
          stateful: true,
          inboundDefaultPolicy,
          outboundDefaultPolicy,
          enableDefaultSecurity: true,
        })
        return securityGroup as Instancev1.SecurityGroup
      },
    })
    await mendTags(scaleway, name, made.tags, tags =>
      scaleway.instance.updateSecurityGroup({ securityGroupId: made.id, tags }),
    )
    return bring(scaleway, made.id, want, report)
  },
  async undo(want, clients, before, now, report) {
    const scaleway = clients.at(want.zone)
    const there = now ?? (await securityGroupKind.read(want, scaleway, report))
    if (!there) return
    if (!before) return removeSecurityGroup(scaleway, there.id, report)
    await bring(
      scaleway,
      before.id,
      {
        name: before.name,
        inboundDefault: before.inbound === 'drop' ? 'drop' : 'accept',
        outboundDefault: before.outbound === 'drop' ? 'drop' : 'accept',
        rules: before.rules.map(parseRule),
      },
      report,
    )
  },
}
export const securityGroup = word(securityGroupKind)

const bring = async (scaleway: Scaleway, securityGroupId: string, want: SecurityGroupWant, report: Waiter) => {
  const { instance } = scaleway
  const settled = async () => {
    const group = await become(report, {
      what: `security group ${want.name}`,
      look: async () => (await orNull(instance.getSecurityGroup({ securityGroupId })))?.securityGroup ?? null,
      state: it => it.state,
      states: states.securityGroup,
      patienceMs: scaleway.deadlines.securityGroup / 12,
      withinMs: scaleway.deadlines.securityGroup,
    })
    return see(group, await listRules(scaleway, group.id))
  }
  const now = await settled()
  const { name, inboundDefault: inboundDefaultPolicy, outboundDefault: outboundDefaultPolicy } = want
  if (now.name !== name || now.inbound !== inboundDefaultPolicy || now.outbound !== outboundDefaultPolicy)
    await instance.updateSecurityGroup({ securityGroupId, name, inboundDefaultPolicy, outboundDefaultPolicy })
  if (ruleChanges(now.rules, linesOf(want.rules)))
    await instance.setSecurityGroupRules({
      securityGroupId,
      rules: want.rules.map((it, index) => ({
        action: it.action,
        protocol: it.protocol,
        direction: it.direction,
        ipRange: it.ipRange,
        ...(it.ports && { destPortFrom: it.ports.from, destPortTo: it.ports.to }),
        position: index + 1,
        editable: true,
      })),
    })
  return settled()
}

export const removeSecurityGroup = ({ instance, deadlines }: Scaleway, id: string, report: Waiter): Promise<void> =>
  insist(report, {
    what: `security group ${id}: waiting until no server uses it`,
    act: () => discard(instance.deleteSecurityGroup({ securityGroupId: id })),
    // "group is in use" comes as a 400
    passing: error => isInUse(error) || (statusOf(error) === 400 && /in use/.test(String(bodyOf(error).message))),
    withinMs: deadlines.securityGroup,
  })

export { shared as sharedGroups }
