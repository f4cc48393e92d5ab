import { PROBE_LABEL } from '../../../src/rollout/probe-pod.ts'
import type { Ears } from './run.ts'

type Apply = {
  kind: string
  metadata: { name: string; namespace: string; labels?: Record<string, string> }
  spec?: { template?: { metadata?: { labels?: Record<string, string> }; spec?: object } }
}

const ours = { spec: ['template'], template: ['metadata', 'spec'], pod: ['containers', 'initContainers', 'volumes'] }
const step = ({ namespace, name }: Apply['metadata']) => `workload-egress/${namespace}/${name}`

/**
 * Holds runs to what they may do at every write: no more than `most` workloads moved and not proved, nobody's pod
 * deleted, nothing of a workload touched but label and variables. `wrong`: what they did.
 */
export const watchman = (most: number) => {
  const moved = new Set<string>()
  const proved = new Set<string>()
  const wrong: string[] = []
  const only = (value: object | undefined, names: string[], what: string) => {
    const more = Object.keys(value ?? {}).filter(it => !names.includes(it))
    if (more.length > 0) wrong.push(`${what} was sent with ${more}`)
  }
  const applied = ({ kind, metadata, spec }: Apply) => {
    if (kind !== 'Deployment') return
    only(spec, ours.spec, metadata.name)
    only(spec?.template, ours.template, metadata.name)
    only(spec?.template?.spec, ours.pod, metadata.name)
    if (spec?.template?.metadata?.labels?.egress === undefined) return
    moved.add(step(metadata))
    const unproved = [...moved].filter(it => !proved.has(it))
    if (unproved.length > most) wrong.push(`${unproved.length} have moved and are not proved`)
  }
  const ears: Ears = {
    wrote(how, what) {
      const { kind, name, metadata } = what as { kind: string; name?: string; metadata?: Apply['metadata'] }
      if (how === 'apply') applied(what as Apply)
      else if (kind === 'Deployment') wrong.push(`${how} of Deployment ${name}`)
      const isProbe = metadata?.labels?.[PROBE_LABEL] !== undefined || name?.startsWith('egress-probe-') === true
      if (kind === 'Pod' && !isProbe) wrong.push(`${how} of pod ${name ?? metadata?.name}`)
    },
    line(entry) {
      if (entry.event === 'note' && entry.topic === 'phase-passed') for (const it of moved) proved.add(it)
      if (entry.event === 'undone') for (const all of [moved, proved]) all.delete(entry.step)
    },
  }
  return { ears, wrong }
}
