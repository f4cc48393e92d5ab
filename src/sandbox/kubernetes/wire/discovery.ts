import type { Loose } from '../objects/object.ts'
import type { Resource } from '../objects/resources.ts'
import { apiVersionOf, resources } from '../objects/resources.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const subVerbs: Record<string, string[]> = {
  status: ['get', 'patch', 'update'],
  scale: ['get', 'patch', 'update'],
  log: ['get'],
  ephemeralcontainers: ['get', 'patch', 'update'],
  exec: ['create', 'get'],
  eviction: ['create'],
  token: ['create'],
}
const subKinds: Record<string, [group: string, version: string, kind: string]> = {
  scale: ['autoscaling', 'v1', 'Scale'],
  exec: ['', 'v1', 'PodExecOptions'],
  eviction: ['policy', 'v1', 'Eviction'],
  token: ['authentication.k8s.io', 'v1', 'TokenRequest'],
}

const groupVersions = [...new Set(resources.map(apiVersionOf))]
const at = (apiVersion: string) => resources.filter(it => apiVersionOf(it) === apiVersion)
const verbsOf = (it: Resource) => (it.review ? ['create'] : verbs)

/** `/api`, `/apis`, `/api/v1`, `/apis/GROUP/VERSION`; undefined for other paths. */
export const discovery = (path: string, accept: string): Loose => {
  const isAggregated = accept.includes('as=APIGroupDiscoveryList')
  if (path === '/api') return isAggregated ? aggregated(['v1'], accept) : { kind: 'APIVersions', versions: ['v1'] }
  const groups = groupVersions.filter(it => it !== 'v1')
  if (path === '/apis') {
    if (isAggregated) return aggregated(groups, accept)
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(group) }
  }
  const match = /^\/(api|apis)\/(.+)$/.exec(path)
  const name = match?.[2] ?? ''
  if (groupVersions.includes(name) && (match![1] === 'api') === (name === 'v1')) return resourceList(name)
  const found = match?.[1] === 'apis' ? groups.find(it => it.split('/')[0] === name) : undefined
  return found ? { kind: 'APIGroup', apiVersion: 'v1', ...group(found) } : undefined
}

const group = (groupVersion: string) => {
  const [name, version] = groupVersion.split('/')
  return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } }
}

const resourceList = (groupVersion: string) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: at(groupVersion).flatMap(it => [
    {
      name: it.plural,
      singularName: it.kind.toLowerCase(),
      namespaced: it.namespaced,
      kind: it.kind,
      verbs: verbsOf(it),
      ...(it.short.length > 0 && { shortNames: it.short }),
      ...(it.all && { categories: ['all'] }),
    },
    ...it.sub.map(sub => {
      const [group, version, kind] = subKinds[sub] ?? [it.group, it.version, it.kind]
      return {
        name: `${it.plural}/${sub}`,
        singularName: '',
        namespaced: it.namespaced,
        kind,
        verbs: subVerbs[sub],
        ...(subKinds[sub] && { group, version }),
      }
    }),
  ]),
})

const aggregated = (versions: string[], accept: string) => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: accept.includes('v=v2;') ? 'apidiscovery.k8s.io/v2' : 'apidiscovery.k8s.io/v2beta1',
  metadata: {},
  items: versions.map(groupVersion => ({
    metadata: { name: groupVersion === 'v1' ? '' : groupVersion.split('/')[0], creationTimestamp: null },
    versions: [
      {
        version: groupVersion.split('/').at(-1),
        freshness: 'Current',
        resources: at(groupVersion).map(it => ({
          resource: it.plural,
          responseKind: { group: it.group, version: it.version, kind: it.kind },
          scope: it.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: it.kind.toLowerCase(),
          verbs: verbsOf(it),
          ...(it.short.length > 0 && { shortNames: it.short }),
          ...(it.all && { categories: ['all'] }),
          ...(it.sub.length > 0 && { subresources: it.sub.map(sub => aggregatedSub(it, sub)) }),
        })),
      },
    ],
  })),
})

const aggregatedSub = (it: Resource, sub: string) => {
  const [group, version, kind] = subKinds[sub] ?? [it.group, it.version, it.kind]
  return { subresource: sub, responseKind: { group, version, kind }, verbs: subVerbs[sub] }
}

/** As much of `/openapi/v3` as kubectl asks before it applies: which parameters a PATCH takes. No schemas. */
export const openapi = (path: string): Loose => {
  const root = (apiVersion: string) => (apiVersion === 'v1' ? 'api/v1' : `apis/${apiVersion}`)
  if (path === '/openapi/v3') {
    const paths = groupVersions.map(it => [root(it), { serverRelativeURL: `/openapi/v3/${root(it)}?hash=1` }])
    return { paths: Object.fromEntries(paths) }
  }
  const apiVersion = groupVersions.find(it => path === `/openapi/v3/${root(it)}`)
  if (!apiVersion) return undefined
  const paths = at(apiVersion).map(it => {
    const scope = it.namespaced ? '/namespaces/{namespace}' : ''
    return [`/${root(apiVersion)}${scope}/${it.plural}/{name}`, { patch: patchOperation(it) }]
  })
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1' }, paths: Object.fromEntries(paths) }
}

const patchOperation = (it: Resource) => ({
  operationId: `patch${it.kind}`,
  parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(name => ({
    name,
    in: 'query',
    schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
  })),
  responses: { 200: { description: 'OK' } },
  'x-kubernetes-action': 'patch',
  'x-kubernetes-group-version-kind': { group: it.group, version: it.version, kind: it.kind },
})
