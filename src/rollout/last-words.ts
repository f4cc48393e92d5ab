import { withoutPasswords } from '../engine/apply.ts'
import type { Kube } from './kube/kube.ts'

/** The last lines of a container that has ended; of the one that runs now where it has none before. Best effort. */
export const lastWords = async (kube: Kube, namespace: string, pod: string, container: string): Promise<string> => {
  for (const previous of [true, false]) {
    const text = await kube.logs({ namespace, pod, container, tailLines: 5, previous }).catch(() => '')
    if (text.trim()) return withoutPasswords(text.trim().split('\n').slice(-5).join(' | ').slice(-1000))
  }
  return ''
}
