import { createHash } from 'node:crypto'
import { projectOf } from './account.ts'
import { constraint, noContent, ok, unauthenticated } from './answer.ts'
import { byId, type Cloud, dated, mustFind, now, uuid, uuidOf } from './cloud.ts'
import { flag, require, text } from './fields.ts'
import { asks, nameHas, page } from './lists.ts'
import type { SshKey } from './records.ts'
import { type Route, route } from './router.ts'

const root = '/iam/v1alpha1/ssh-keys'
const keyMade = '2024-01-01T00:00:00.000000Z'

/** Keys of a project; they reach its servers when they boot and its bastions when they are refreshed. */
export const iamRoutes = (cloud: Cloud): Route[] => {
  const { state, credentials } = cloud
  const show = (it: SshKey) => ({
    ...it,
    creation_info: { address: '127.0.0.1', country_code: '', user_agent: '' },
    organization_id: credentials.organizationId,
  })
  return [
    // A key that is not there is answered like a login with it.
    route('GET', '/iam/v1alpha1/api-keys/:key', ({ params }) => {
      if (params.key !== credentials.accessKey) throw unauthenticated('not_found')
      return ok({
        ...{ access_key: credentials.accessKey, secret_key: null, description: '', user_id: uuidOf('user') },
        ...{ created_at: keyMade, updated_at: keyMade, expires_at: null, default_project_id: credentials.projectId },
        ...{ editable: true, deletable: true, managed: false, creation_ip: '127.0.0.1' },
      })
    }),
    route('POST', root, ({ body }) => {
      const project_id = projectOf(cloud, body, 'ssh_key')
      require(body, 'public_key')
      const public_key = text(body, 'public_key')!.trim()
      const key: SshKey = {
        ...{ id: uuid(), project_id },
        name: text(body, 'name') ?? `key-${uuid().slice(0, 8)}`,
        public_key,
        fingerprint: fingerprint(public_key),
        disabled: false,
        ...dated(),
      }
      state.ssh_keys[key.id] = key
      return ok(show(key))
    }),
    route('GET', root, ask => {
      const disabled = ask.query.get('disabled')
      const rows = byId(state.ssh_keys).filter(
        it =>
          nameHas(ask, it.name) &&
          asks(ask, 'project_id', it.project_id) &&
          asks(ask, 'organization_id', credentials.organizationId) &&
          (disabled === null || String(it.disabled) === disabled),
      )
      return page('ssh_keys', rows.map(show), ask)
    }),
    route('GET', `${root}/:id`, ({ params }) => ok(show(mustFind(cloud, 'ssh_keys', params.id!)))),
    route('PATCH', `${root}/:id`, ({ params, body }) => {
      const key = mustFind(cloud, 'ssh_keys', params.id!)
      key.name = text(body, 'name') ?? key.name
      key.disabled = flag(body, 'disabled') ?? key.disabled
      key.updated_at = now()
      return ok(show(key))
    }),
    route('DELETE', `${root}/:id`, ({ params }) => {
      delete state.ssh_keys[mustFind(cloud, 'ssh_keys', params.id!).id]
      return noContent
    }),
  ]
}

/** What is copied to a project's servers and bastions now. */
export const projectKeys = ({ state }: Cloud, projectId: string): string[] =>
  byId(state.ssh_keys)
    .filter(it => !it.disabled && it.project_id === projectId)
    .map(it => it.public_key)

const fingerprint = (publicKey: string): string => {
  const [type = '', blob = ''] = publicKey.split(/\s+/)
  if (!/^(ssh|ecdsa|sk-)/.test(type) || blob.length < 32 || /[^A-Za-z0-9+/=]/.test(blob))
    throw constraint('public_key', 'is not an SSH public key')
  const bytes = createHash('md5').update(Buffer.from(blob, 'base64')).digest('hex')
  return `MD5:${bytes.match(/../g)!.join(':')} (${type})`
}
