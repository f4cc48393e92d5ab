import { noContent, notFound, ok, transient } from './answer.ts'
import { byId, type Cloud, mustFind, uuid } from './cloud.ts'
import { flag, objects, text } from './fields.ts'
import { idleCluster, updating } from './k8s-cluster-states.ts'
import { page } from './lists.ts'
import type { Acl, Cluster } from './records.ts'
import { type Ask, type Route, route } from './router.ts'

const root = '/k8s/v1/regions/:region'

/** Who may reach a cluster's API, and with what. */
export const accessRoutes = (cloud: Cloud): Route[] => {
  const clusterOf = ({ params, place }: Ask) => mustFind(cloud, 'clusters', params.id!, place)
  const acls = ({ body }: Ask): Acl[] =>
    (objects(body, 'acls') ?? []).map(it => ({
      id: uuid(),
      ip: text(it, 'ip') ?? null,
      scaleway_ranges: flag(it, 'scaleway_ranges') ?? null,
      description: text(it, 'description') ?? '',
    }))
  const set = (cluster: Cluster, rules: Acl[]) => {
    cluster.acls = rules
    updating(cloud, cluster)
  }

  return [
    route('GET', `${root}/clusters/:id/kubeconfig`, ask => {
      const cluster = clusterOf(ask)
      if (cluster.status === 'creating') throw transient('cluster', cluster.id, cluster.status)
      const full = cloud.clusters.kubeconfig(cluster.id, `admin@${cluster.name}`)
      const hide = ask.query.get('redacted') === 'true'
      const content = hide ? full.replace(/^(\s*token:).*$/gm, '$1 <redacted>') : full
      // `dl=1` is how the JavaScript SDK asks: the file itself instead of JSON around it.
      if (ask.query.get('dl') === '1') return { status: 200, text: { type: 'application/octet-stream', content } }
      const encoded = Buffer.from(content).toString('base64')
      return ok({ name: 'kubeconfig', content_type: 'application/octet-stream', content: encoded })
    }),
    route('GET', `${root}/clusters/:id/acls`, ask => page('rules', clusterOf(ask).acls, ask)),
    route('PUT', `${root}/clusters/:id/acls`, ask => {
      const cluster = idleCluster(clusterOf(ask))
      set(cluster, acls(ask))
      return ok({ rules: cluster.acls })
    }),
    route('POST', `${root}/clusters/:id/acls`, ask => {
      const cluster = idleCluster(clusterOf(ask))
      const rules = acls(ask)
      set(cluster, [...cluster.acls, ...rules])
      return ok({ rules })
    }),
    route('DELETE', `${root}/acls/:id`, ({ params }) => {
      const cluster = byId(cloud.state.clusters).find(it => it.acls.some(one => one.id === params.id))
      if (!cluster) throw notFound('acl', params.id!)
      set(
        idleCluster(cluster),
        cluster.acls.filter(it => it.id !== params.id),
      )
      return noContent
    }),
  ]
}
