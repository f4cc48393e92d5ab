import type { Kube } from './kube.ts'

/** A client that asks before each write. What `leads` throws is thrown instead of writing. */
export const led = (kube: Kube, leads: () => Promise<void>): Kube => ({
  ...kube,
  create: async (object, options = {}) => {
    if (!options.dryRun) await leads()
    return kube.create(object, options)
  },
  apply: async (object, options = {}) => {
    if (!options.dryRun) await leads()
    return kube.apply(object, options)
  },
  patch: async (...it) => {
    await leads()
    return kube.patch(...it)
  },
  delete: async (...it) => {
    await leads()
    return kube.delete(...it)
  },
})
