import { projectOf } from './account.ts'
import { created, noContent, ok, precondition, Refusal } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, pythonDate, uuid } from './cloud.ts'
import { type Body, flag, oneOf, text, texts } from './fields.ts'
import { allTags, asks, instancePage, nameHas } from './lists.ts'
import type { SecurityGroupRecord } from './records.ts'
import { type Ask, type Route, route } from './router.ts'
import { bringServer } from './sync.ts'

const root = '/instance/v1/zones/:zone/security_groups'
const policies = ['accept', 'drop'] as const

export const addSecurityGroup = (
  { state }: Cloud,
  zone: string,
  fields: Partial<SecurityGroupRecord> & { name: string; project_id: string },
): SecurityGroupRecord => {
  const group: SecurityGroupRecord = {
    ...{ id: uuid(), tags: [], zone, description: null, stateful: true, state: 'available', rules: [] },
    ...{ inbound_default_policy: 'accept', outbound_default_policy: 'accept' },
    ...{ enable_default_security: true, project_default: false, ...dated() },
    ...fields,
  }
  state.security_groups[group.id] = group
  return group
}

/** Made when the first server without a group needs it. */
export const defaultSecurityGroup = (cloud: Cloud, zone: string, project_id: string): SecurityGroupRecord =>
  byId(cloud.state.security_groups).find(
    it => it.project_default && it.zone === zone && it.project_id === project_id,
  ) ?? addSecurityGroup(cloud, zone, { name: 'Default security group', project_id, project_default: true })

export const securityGroupRoutes = (cloud: Cloud): Route[] => {
  const { state, credentials, transitions } = cloud
  const groupOf = ({ params, place }: Ask) => mustFind(cloud, 'security_groups', params.id!, place)
  const serversOf = (id: string) => byId(state.servers).filter(it => it.security_group_id === id)

  const show = (it: SecurityGroupRecord) => ({
    ...{ id: it.id, creation_date: pythonDate(it.created_at), modification_date: pythonDate(it.updated_at) },
    ...{ name: it.name, description: it.description },
    ...{ organization: credentials.organizationId, project: it.project_id },
    servers: serversOf(it.id).map(({ id, name }) => ({ id, name })),
    ...{ stateful: it.stateful, inbound_default_policy: it.inbound_default_policy },
    ...{ outbound_default_policy: it.outbound_default_policy, organization_default: false },
    ...{ project_default: it.project_default, enable_default_security: it.enable_default_security },
    ...{ state: it.state, tags: it.tags, zone: it.zone },
  })

  const fields = (body: Body, before?: SecurityGroupRecord): Partial<SecurityGroupRecord> & { name: string } => ({
    name: text(body, 'name') ?? before?.name ?? `sg-${uuid().slice(0, 8)}`,
    description: text(body, 'description') ?? before?.description ?? null,
    tags: texts(body, 'tags') ?? before?.tags ?? [],
    stateful: flag(body, 'stateful') ?? before?.stateful ?? true,
    inbound_default_policy:
      oneOf(body, 'inbound_default_policy', policies) ?? before?.inbound_default_policy ?? 'accept',
    outbound_default_policy:
      oneOf(body, 'outbound_default_policy', policies) ?? before?.outbound_default_policy ?? 'accept',
    enable_default_security: flag(body, 'enable_default_security') ?? before?.enable_default_security ?? true,
    project_default: flag(body, 'project_default') ?? before?.project_default ?? false,
  })

  const setState = (id: string, value: SecurityGroupRecord['state']) => {
    const group = state.security_groups[id]
    if (group) group.state = value
  }
  transitions.define('security group change', {
    async effect(id) {
      // Queued by server, so that a boot that runs meanwhile is not overtaken by older rules.
      for (const { id: server } of serversOf(id)) await transitions.queue(server, () => bringServer(cloud, server))
    },
    done: id => setState(id, 'available'),
    failed: id => setState(id, 'syncing_error'),
  })

  return [
    route('POST', root, ({ body, place }) => {
      const project_id = projectOf(cloud, body, 'instance_security_group')
      return created({ security_group: show(addSecurityGroup(cloud, place, { ...fields(body), project_id })) })
    }),
    route('GET', root, ask => {
      const isDefault = ask.query.get('project_default')
      const rows = byId(state.security_groups).filter(
        it =>
          it.zone === ask.place &&
          nameHas(ask, it.name) &&
          allTags(ask, it.tags) &&
          asks(ask, 'project', it.project_id) &&
          (isDefault === null || String(it.project_default) === isDefault),
      )
      return instancePage('security_groups', rows.map(show), ask)
    }),
    route('GET', `${root}/:id`, ask => ok({ security_group: show(groupOf(ask)) })),
    route('PATCH', `${root}/:id`, ask => {
      const group = groupOf(ask)
      const before = JSON.stringify(group)
      Object.assign(group, fields(ask.body, group))
      if (JSON.stringify(group) !== before) changed(cloud, group)
      return ok({ security_group: show(group) })
    }),
    route('DELETE', `${root}/:id`, ask => {
      const group = groupOf(ask)
      if (group.project_default) throw precondition('default_resource', 'default security group cannot be deleted', 400)
      if (serversOf(group.id).length) throw stillUsed
      transitions.cancel(group.id)
      delete state.security_groups[group.id]
      return noContent
    }),
  ]
}

/** `available` again means that the servers have it. */
export const changed = ({ transitions }: Cloud, group: SecurityGroupRecord) => {
  group.state = 'syncing'
  group.updated_at = now()
  transitions.start('security group change', group.id, 1)
}

const stillUsed = new Refusal({
  status: 400,
  body: { type: 'invalid_request_error', message: 'group is in use. you cannot delete it.' },
})
