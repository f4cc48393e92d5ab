import type { Kube } from '../kube/kube.ts'
import { again } from './rehearse.ts'
import type { Right } from './sight.ts'

type Attributes = {
  namespace: string
  verb: string
  group: string
  resource: string
  subresource?: string
  name?: string
}

/** Which of these rights the user of the kubeconfig does not have, by what the API server itself says. */
export const missingRights = async (
  kube: Pick<Kube, 'create'>,
  namespace: string,
  needed: readonly Right[],
): Promise<Right[]> => {
  const may = (asked: Omit<Attributes, 'namespace'> & { namespace?: string }) =>
    isAllowed(kube, { namespace, ...asked })
  // Whoever may do everything is asked nothing more.
  if (await may({ verb: '*', group: '*', resource: '*' })) return []
  const answers = await Promise.all(
    needed.map(async right => {
      const { group, resource, subresource, name, namespace: elsewhere = namespace } = right
      const of = { group, resource, namespace: elsewhere, ...(subresource && { subresource }), ...(name && { name }) }
      const allowed = await Promise.all(right.verbs.map(verb => may({ verb, ...of })))
      return { ...right, verbs: right.verbs.filter((_, at) => !allowed[at]) }
    }),
  )
  return answers.filter(it => it.verbs.length > 0)
}

const isAllowed = async (kube: Pick<Kube, 'create'>, resourceAttributes: Attributes): Promise<boolean> => {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: { resourceAttributes },
  }
  const { status } = await again(() => kube.create(review))
  return (status as { allowed?: boolean } | undefined)?.allowed === true
}
