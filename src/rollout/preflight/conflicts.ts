import { MANAGER } from '../kube/kube.ts'
import type { KubeObject } from '../kube/object.ts'
import { contested } from '../kube/ownership.ts'
import type { Check, Finding } from './finding.ts'
import type { Moving, Sight } from './sight.ts'
import { takenBy } from './variables.ts'

/** What the cluster says to the very change, without doing it. What was ours and is to be mended is no conflict. */
export const conflicts: Check = ({ moving, quotas }) =>
  moving.flatMap(it => [...ofFields(it), ...ofAdmission(it, quotas), ...ofWebhooks(it)])

/** What is changed on its way in would be drift at the next look, or a pod that does not know its proxy. */
const ofWebhooks = ({ name, altered, podAltered }: Moving): Finding[] => {
  const fields = altered.fields.length > 0 ? altered.fields : podAltered.fields
  const stop: Finding[] =
    fields.length === 0
      ? []
      : [
          {
            level: 'stop',
            workload: name,
            what: `a webhook changes ${altered.fields.length > 0 ? 'what a move writes' : 'its new pods'}`,
            why: `not as they were sent: ${fields.join(', ')}`,
            next: 'except this workload from that webhook (kubectl get mutatingwebhookconfigurations)',
          },
        ]
  if (podAltered.added.length === 0) return stop
  const note: Finding = {
    level: 'note',
    workload: name,
    what: `a webhook adds containers to its pods: ${podAltered.added.join(', ')}`,
    why: 'they get the label with the pod, and no variables: what they send out is dropped',
    next: 'nothing where they speak to the cluster alone; else give them the proxy by their own settings',
  }
  return [...stop, note]
}

const ofFields = (it: Moving): Finding[] => {
  const { refused, name, target, workload } = it
  if (!refused || refused.conflicts.length === 0) return []
  const fields = contested(target, workload as unknown as KubeObject, MANAGER)
  if (fields.length > 0 && fields.every(({ drift }) => drift)) return []
  const byManager = new Map<string, string[]>()
  const variablesToo = takenBy(it).length > 0
  for (const { manager, field } of refused.conflicts)
    if (!variablesToo || !field.includes('.env['))
      byManager.set(manager, [...(byManager.get(manager) ?? []), shortOf(field)])
  return [...byManager].map(([manager, fields]) => ({
    level: 'stop',
    workload: name,
    what: `${manager} holds fields that a move needs`,
    why: fields.join(', '),
    next: `let ${manager} give them up; a field of somebody else is never taken`,
  }))
}

/** `env HTTP_PROXY of web` instead of the whole path. */
const shortOf = (field: string): string => {
  const named = /ontainers\[name="([^"]+)"\]\.env\[name="([^"]+)"\]/.exec(field)
  return named ? `env ${named[2]} of ${named[1]}` : field.replace(/^\./, '')
}

/** The webhook itself would not mind the write. */
const UNTRIED = /admission webhook "([^"]+)" does not support dry run/

const ofAdmission = ({ refused, podRefused, name }: Moving, quotas: Sight['quotas']): Finding[] => {
  const [, webhook] = UNTRIED.exec(refused?.why ?? podRefused?.why ?? '') ?? []
  if (webhook)
    return [
      {
        level: 'note',
        workload: name,
        what: `${refused ? 'the change' : 'a new pod of it'} could not be tried`,
        why: `webhook ${webhook} supports no dry run, so nobody asked what else may refuse it`,
        next: 'nothing: what refuses it then ends the phase, which is taken back',
      },
    ]
  if (refused && refused.conflicts.length === 0)
    return [
      {
        level: 'stop',
        workload: name,
        what: 'the cluster would refuse the change',
        why: refused.why,
        next: 'mend what it names: nothing was changed to find this out',
      },
    ]
  if (!podRefused || isCounted(podRefused.why, quotas)) return []
  return [
    {
      level: 'stop',
      workload: name,
      what: 'the cluster would refuse its new pods',
      why: podRefused.why,
      next: 'mend its template, or what refuses it: pods that run already were not asked',
    },
  ]
}

/** A quota without scopes is a matter of sums, and told with them. */
const isCounted = (why: string, quotas: Sight['quotas']): boolean => {
  const name = /exceeded quota: ([^,]+),/.exec(why)?.[1]
  return quotas.some(it => it.metadata.name === name && !it.spec?.scopes && !it.spec?.scopeSelector)
}
