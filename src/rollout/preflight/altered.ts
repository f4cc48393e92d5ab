import type { Json } from '../../engine/json.ts'
import type { EgressWant } from '../egress-want.ts'
import { differences } from '../kube/difference.ts'
import { isObject, type KubeObject } from '../kube/object.ts'
import { containersOf, type PodTemplate } from '../workload.ts'

/** What webhooks of the cluster make of something that is only tried. Fields by their names: values may be secrets. */
export type Altered = {
  fields: string[]
  /** Containers that were put in beside. */
  added: string[]
}

export const nothingAltered: Altered = { fields: [], added: [] }

/** Fields of a move that the answer to it does not have as they were sent. */
export const alteredMove = (sent: KubeObject, answer: KubeObject): Altered => {
  const named = differences(sent as Json, answer as Json).map(({ path }) => namesIn(path))
  return { fields: [...new Set(named)], added: [] }
}

/** `f:spec`, `k:{"name":"web"}` and the like, as people say it: `spec.containers[web].env[HTTP_PROXY].value` */
const namesIn = (path: readonly string[]): string =>
  path
    .map(step =>
      step.startsWith('k:') ? `[${Object.values(JSON.parse(step.slice(2))).join(' ')}]` : `.${step.slice(2)}`,
    )
    .join('')
    .slice(1)

type Sent = { labels: { after: Record<string, string> }; want: EgressWant; template: PodTemplate }

/** Of a new pod: the label, the variables of each container, and containers that nobody but a webhook named. */
export const alteredPod = ({ labels, want, template }: Sent, pod: KubeObject): Altered => {
  const { key, value } = want.label
  const spec = isObject(pod.spec) ? pod.spec : {}
  const made = [...listed(spec.initContainers), ...listed(spec.containers)]
  const names = containersOf(template).map(it => it.name)
  const lost = names.flatMap(name => {
    const env = listed(made.find(it => it.name === name)?.env)
    return want.env
      .filter(it => env.find(has => has.name === it.name)?.value !== it.value)
      .map(it => `${it.name} of ${name}`)
  })
  const label = labels.after[key] === value && pod.metadata.labels?.[key] !== value ? [`label ${key}`] : []
  const net = spec.hostNetwork === true ? ['hostNetwork'] : []
  return {
    fields: [...label, ...lost, ...net],
    added: made.map(it => String(it.name)).filter(it => !names.includes(it)),
  }
}

const listed = (list: Json | undefined): { [field: string]: Json | undefined }[] =>
  Array.isArray(list) ? list.filter(isObject) : []
