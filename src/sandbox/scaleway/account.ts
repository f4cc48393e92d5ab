import { forbidden, notFound, ok } from './answer.ts'
import type { Cloud } from './cloud.ts'
import { type Body, text } from './fields.ts'
import { type Route, route } from './router.ts'

/** There is one project here; asking for another is not allowed, as with a key that is bound to one. */
export const ours = ({ credentials }: Cloud, body: Body, resource: string) => {
  const asked = text(body, 'project_id') ?? text(body, 'project')
  if (asked !== undefined && asked !== credentials.projectId) throw forbidden('write', resource)
}

export const accountRoutes = ({ credentials }: Cloud): Route[] => [
  route('GET', '/account/v3/projects/:id', ({ params }) => {
    if (params.id !== credentials.projectId) throw notFound('project_id', params.id!)
    return ok({
      id: credentials.projectId,
      name: 'default',
      organization_id: credentials.organizationId,
      created_at: '2024-01-01T00:00:00.000000Z',
      updated_at: '2024-01-01T00:00:00.000000Z',
      description: '',
    })
  }),
]
