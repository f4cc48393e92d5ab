import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { type Admission, API } from './guard/policy.ts'
import type { Kube } from './kube/kube.ts'
import type { KubeObject } from './kube/object.ts'
import { KubeProblem } from './kube/problem.ts'
import { type Clients, type Live as Manifest, manifestKind } from './manifest.ts'
import { missingRights } from './preflight/ask-rights.ts'
import type { Right } from './preflight/sight.ts'

export type Want = { kubeconfig: string; namespace: string } & Admission

/** `left`: why this cluster is left without it; the rest of a rollout goes on. */
export type Live = { left: string } | { left: null; policy: Manifest | null; binding: Manifest | null }

/**
 * A ValidatingAdmissionPolicy and its binding, for one namespace: where the cluster has them and we may make them.
 * A binding goes first, so that no policy is half in force.
 */
export const admissionPolicyKind: Kind<Want, Live, Clients> = {
  name: 'admission-policy',
  looksThroughParents: true,
  async read(want, clients, report) {
    const left = await reasonAgainst(clients.kube(want.kubeconfig))
    if (left) return { left }
    const [policy, binding] = await Promise.all(partsOf(want).map(it => manifestKind.read(it, clients, report)))
    return policy || binding ? { left: null, policy: policy ?? null, binding: binding ?? null } : null
  },
  diff(want, live) {
    if (live && live.left !== null) return null
    const [policy, binding] = partsOf(want)
    const changes = [manifestKind.diff(policy, live?.policy ?? null), manifestKind.diff(binding, live?.binding ?? null)]
    const [first] = changes.filter(it => it !== null)
    if (!first) return null
    const summary = `${want.policy.metadata.name}: the cluster itself refuses what must never be`
    return live ? { ...first, action: 'update', summary } : { action: 'create', summary }
  },
  async apply(want, clients, live, report) {
    const [policy, binding] = partsOf(want)
    const known = live?.left === null ? live : null
    const made = await manifestKind.apply(policy, clients, known?.policy ?? null, report)
    const bound = await manifestKind.apply(binding, clients, known?.binding ?? null, report)
    return { left: null, policy: made, binding: bound }
  },
  async undo(want, clients, before, now, report) {
    const [policy, binding] = partsOf(want)
    const [was, is] = [before, now].map(it => (it?.left === null ? it : null))
    await manifestKind.undo?.(binding, clients, was?.binding ?? null, is?.binding ?? null, report)
    await manifestKind.undo?.(policy, clients, was?.policy ?? null, is?.policy ?? null, report)
  },
}

/** `admissionPolicy('client-a-demo guard', { kubeconfig, namespace, ...guardPolicy(namespace, ground) })` */
export const admissionPolicy = word(admissionPolicyKind)

const partsOf = ({ kubeconfig, policy, binding }: Want) =>
  [policy, binding].map(object => ({ kubeconfig, object })) as [
    { kubeconfig: string; object: KubeObject },
    { kubeconfig: string; object: KubeObject },
  ]

const known = new WeakMap<Kube, Promise<string | null>>()

/** Asked once of each cluster in a run. Null: nothing is against it. */
const reasonAgainst = (kube: Kube): Promise<string | null> => {
  const answer = known.get(kube) ?? ask(kube)
  known.set(kube, answer)
  answer.catch(() => known.delete(kube))
  return answer
}

const kinds = [
  { kind: 'ValidatingAdmissionPolicy', resource: 'validatingadmissionpolicies' },
  { kind: 'ValidatingAdmissionPolicyBinding', resource: 'validatingadmissionpolicybindings' },
]

/** Has the cluster the API, and may we look at it, make it and take it away? */
const ask = async (kube: Kube): Promise<string | null> => {
  const needed: Right[] = []
  for (const { kind, resource } of kinds) {
    try {
      await kube.list({ apiVersion: API, kind })
    } catch (thrown) {
      if (!(thrown instanceof KubeProblem)) throw thrown
      if (thrown.status === 404) return `the cluster has no ${kind} (Kubernetes 1.30 does)`
      if (thrown.status === 403) return thrown.why
      throw thrown
    }
    needed.push({
      ...{ level: 'note', verbs: ['create', 'patch', 'delete'], group: API.slice(0, -'/v1'.length), resource },
      without: 'the cluster itself refuses nothing',
    })
  }
  const [missing] = await missingRights(kube, '', needed)
  return missing ? `this user may not ${missing.verbs.join(', ')} ${missing.resource}` : null
}
