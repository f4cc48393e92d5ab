import type { Pods, PodVolume } from '../../ports.ts'
import type { Obj } from '../objects/object.ts'
import { stable } from '../objects/object.ts'
import type { Store } from '../objects/store.ts'
import { podVolumes, Unstartable } from './podspec.ts'

/** When a pod's volumes were last compared (epoch ms), what they held, and the pod's own notes then. */
export type Mounted = { at: number; held: string; notes: string }

/** What a pod begins with. `at` of 0: compare them at the next look. */
export const mounted = (pod: Obj, volumes: PodVolume[] | undefined, at: number): Mounted => ({
  at,
  held: stable(volumes),
  notes: notesOf(pod),
})

/**
 * Brings a running pod's volumes up to date and writes down what they hold. As a real one: they are looked at every
 * `syncMs`, and at once when somebody annotates the pod.
 */
export const refresh = async (it: Mounted, pod: Obj, syncMs: number, store: Store, pods: Pods): Promise<void> => {
  const notes = notesOf(pod)
  if (notes === it.notes && Date.now() - it.at < syncMs) return
  Object.assign(it, { at: Date.now(), notes })
  try {
    const volumes = podVolumes(store, pod)
    const held = stable(volumes)
    if (held === it.held) return
    await pods.refresh(pod.metadata.uid, volumes)
    it.held = held
  } catch (error) {
    // What is gone stays mounted as it was.
    if (!(error instanceof Unstartable)) throw error
  }
}

const notesOf = ({ metadata: { annotations = {}, labels = {} } }: Obj): string => stable({ annotations, labels })
