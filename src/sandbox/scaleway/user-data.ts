import { type Answer, noContent, ok } from './answer.ts'
import { type Cloud, mustFind } from './cloud.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/instance/v1/zones/:zone/servers/:id/user_data'

const type = 'text/plain'
/** Of a key, and of a key of a server that is not there either: no word about which. */
const absent: Answer = { status: 404, text: { type, content: '' } }

/** Raw text under keys; `cloud-init` is read at first boot, and only then. */
export const userDataRoutes = (cloud: Cloud): Route[] => {
  const dataOf = ({ params, place }: Ask) => mustFind(cloud, 'servers', params.id!, place).user_data
  return [
    route('GET', root, ask => ok({ user_data: Object.keys(dataOf(ask)).sort() })),
    route('GET', `${root}/:key`, ask => {
      const content = cloud.state.servers[ask.params.id!]?.user_data[ask.params.key!]
      return content === undefined ? absent : { status: 200, text: { type, content } }
    }),
    route('PATCH', `${root}/:key`, ask => {
      dataOf(ask)[ask.params.key!] = ask.raw
      return { status: 204, text: { type, content: '' } }
    }),
    route('DELETE', `${root}/:key`, ask => {
      delete dataOf(ask)[ask.params.key!]
      return noContent
    }),
  ]
}
