import { forbidden, notFound, ok } from './answer.ts'
import { byId, type Cloud, isUuid, now } from './cloud.ts'
import { type Body, text } from './fields.ts'
import { nameHas, page } from './lists.ts'
import type { ProjectRecord } from './records.ts'
import { type Route, route } from './router.ts'

/**
 * The project a new resource belongs to: the one asked for, else the key's. The emulator is nobody's account: a project
 * it has not heard of is known from its first resource on. What is no project id at all is not allowed.
 */
export const projectOf = (cloud: Cloud, body: Body, resource: string): string => {
  const asked = text(body, 'project_id') || text(body, 'project') || cloud.credentials.projectId
  if (asked === cloud.credentials.projectId || cloud.state.projects[asked]) return asked
  if (!isUuid(asked)) throw forbidden('write', resource)
  addProject(cloud, asked)
  return asked
}

/** A further project of the organization. Its key is the same: here one key sees all of them. */
export const addProject = ({ state }: Pick<Cloud, 'state'>, id: string, name = `project-${id.slice(0, 8)}`) => {
  const known = state.projects[id]
  if (known) known.name = name
  else state.projects[id] = { id, name, created_at: now() }
}

export const accountRoutes = ({ credentials, state }: Cloud): Route[] => {
  const own = { id: credentials.projectId, name: 'default', created_at: '2024-01-01T00:00:00.000000Z' }
  const all = () => [own, ...byId(state.projects).filter(it => it.id !== own.id)]
  const show = ({ id, name, created_at }: ProjectRecord) => ({
    ...{ id, name, organization_id: credentials.organizationId, created_at, updated_at: created_at, description: '' },
  })
  return [
    route('GET', '/account/v3/projects', ask =>
      page(
        'projects',
        all()
          .filter(it => nameHas(ask, it.name))
          .map(show),
        ask,
      ),
    ),
    route('GET', '/account/v3/projects/:id', ({ params }) => {
      const found = all().find(it => it.id === params.id)
      if (!found) throw notFound('project_id', params.id!)
      return ok(show(found))
    }),
  ]
}
