import { projectOf } from './account.ts'
import { constraint, ok, transient } from './answer.ts'
import { byId, type Cloud, mustFind, now, uuid } from './cloud.ts'
import { type Body, flag, objects, require, text, texts } from './fields.ts'
import { asks, nameHas, page } from './lists.ts'
import type { Database, DatabaseAcl } from './records.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/rdb/v1/regions/:region/instances'
const seconds = { making: 60, configuring: 10, deleting: 10 }
const mostRules = 250

/** Managed Databases: who may reach one, and as much of one as that takes. No program is behind them. */
export const databaseRoutes = (cloud: Cloud): Route[] => {
  const { state, transitions, credentials } = cloud
  const databaseOf = ({ params, place }: Ask) => mustFind(cloud, 'databases', params.id!, place)
  const idle = (it: Database): Database => {
    if (it.status !== 'ready') throw transient('instance', it.id, it.status)
    return it
  }
  const set = (database: Database, acls: DatabaseAcl[]) => {
    if (acls.length > mostRules) throw constraint('rules', `must be at most ${mostRules}`)
    database.acls = acls
    database.status = 'configuring'
    transitions.start('database configuration', database.id, seconds.configuring)
  }
  const show = ({ acls: _acls, port, ...it }: Database) => {
    const endpoint = port === null ? null : { id: it.id, ip: '192.0.2.1', load_balancer: {}, name: null, port }
    return {
      ...it,
      organization_id: credentials.organizationId,
      ...{ endpoint, endpoints: endpoint ? [endpoint] : [], settings: [], init_settings: [], read_replicas: [] },
      ...{ maintenances: [], upgradable_version: [], encryption: { enabled: false }, backup_same_region: false },
      backup_schedule: { disabled: true, frequency: 24, next_run_at: null, retention: 7 },
      logs_policy: { max_age_retention: 30, total_disk_retention: null },
      volume: { class: 'lssd', size: 5_000_000_000, type: 'lssd' },
    }
  }
  transitions.define('database creation', {
    done(id) {
      const database = state.databases[id]
      if (database) Object.assign(database, { status: 'ready', port: 5432 })
    },
    failed: () => {},
  })
  transitions.define('database configuration', {
    done(id) {
      const database = state.databases[id]
      if (database?.status === 'configuring') database.status = 'ready'
    },
    failed: () => {},
  })
  transitions.define('database deletion', {
    done(id) {
      delete state.databases[id]
    },
    failed: () => {},
  })
  return [
    route('POST', root, ({ body, place }) => {
      const project_id = projectOf(cloud, body, 'instance')
      require(body, 'engine', 'node_type')
      const database: Database = {
        ...{ id: uuid(), project_id, region: place, name: text(body, 'name') ?? `rdb-${uuid().slice(0, 8)}` },
        ...{ engine: text(body, 'engine')!, node_type: text(body, 'node_type')!, tags: texts(body, 'tags') ?? [] },
        ...{ is_ha_cluster: flag(body, 'is_ha_cluster') ?? false, status: 'provisioning', port: null },
        acls: [{ ip: '0.0.0.0/0', description: 'IP allowed' }],
        created_at: now(),
      }
      state.databases[database.id] = database
      transitions.start('database creation', database.id, seconds.making)
      return ok(show(database))
    }),
    route('GET', root, ask => {
      const rows = byId(state.databases).filter(
        it => it.region === ask.place && nameHas(ask, it.name) && asks(ask, 'project_id', it.project_id),
      )
      return page('instances', rows.map(show), ask)
    }),
    route('GET', `${root}/:id`, ask => ok(show(databaseOf(ask)))),
    route('DELETE', `${root}/:id`, ask => {
      const database = databaseOf(ask)
      database.status = 'deleting'
      transitions.start('database deletion', database.id, seconds.deleting)
      return ok(show(database))
    }),
    route('GET', `${root}/:id/acls`, ask => {
      const database = databaseOf(ask)
      return page('rules', database.acls.map(ruleOf(database)), ask)
    }),
    route('PUT', `${root}/:id/acls`, ask => {
      const database = idle(databaseOf(ask))
      set(database, rulesIn(ask.body))
      return ok({ rules: database.acls.map(ruleOf(database)) })
    }),
    route('POST', `${root}/:id/acls`, ask => {
      const database = idle(databaseOf(ask))
      const added = rulesIn(ask.body)
      set(database, [...database.acls.filter(it => !added.some(({ ip }) => ip === it.ip)), ...added])
      return ok({ rules: added.map(ruleOf(database)) })
    }),
    route('DELETE', `${root}/:id/acls`, ask => {
      const database = idle(databaseOf(ask))
      const going = texts(ask.body, 'acl_rule_ips') ?? []
      const gone = database.acls.filter(it => going.includes(it.ip))
      set(
        database,
        database.acls.filter(it => !gone.includes(it)),
      )
      return ok({ rules: gone.map(ruleOf(database)) })
    }),
  ]
}

const rulesIn = (body: Body): DatabaseAcl[] =>
  (objects(body, 'rules') ?? []).map(it => {
    require(it, 'ip')
    const ip = text(it, 'ip')!
    return { ip: ip.includes('/') ? ip : `${ip}/32`, description: text(it, 'description') || 'IP allowed' }
  })

const ruleOf =
  ({ port }: Database) =>
  ({ ip, description }: DatabaseAcl) => ({
    ...{ action: 'allow', description, direction: 'inbound', ip, port: port ?? 0, protocol: 'tcp' },
  })
