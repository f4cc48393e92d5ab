import type { Api } from '../api/api.ts'
import type { Loose, Obj } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'

type Members = { [member: string]: Loose }

/** Changes some members of a pod's status, as a kubelet; nothing when the pod is gone. */
export const writeStatus = (api: Api, pod: Obj, change: Members | ((status: Loose) => Members)): Obj | undefined => {
  const assign = ({ status }: Obj) => Object.assign(status, typeof change === 'function' ? change(status) : change)
  return api.modify(kind('Pod'), pod, assign, 'kubelet', 'status')
}
