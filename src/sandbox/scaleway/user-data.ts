import { noContent, ok } from './answer.ts'
import { type Cloud, mustFind } from './cloud.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/instance/v1/zones/:zone/servers/:id/user_data'

/** Raw text under keys; `cloud-init` is read at first boot, and only then. */
export const userDataRoutes = (cloud: Cloud): Route[] => {
  const dataOf = ({ params, place }: Ask) => mustFind(cloud, 'servers', params.id!, place).user_data
  return [
    route('GET', root, ask => ok({ user_data: Object.keys(dataOf(ask)).sort() })),
    route('GET', `${root}/:key`, ask => {
      const content = dataOf(ask)[ask.params.key!]
      return content === undefined ? { status: 404 } : { status: 200, text: { type: 'text/plain', content } }
    }),
    route('PATCH', `${root}/:key`, ask => {
      dataOf(ask)[ask.params.key!] = ask.raw
      return noContent
    }),
    route('DELETE', `${root}/:key`, ask => {
      delete dataOf(ask)[ask.params.key!]
      return noContent
    }),
  ]
}
