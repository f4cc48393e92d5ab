/**
 * Visits every node as soon as its parents are visited, at most `width` at a time.
 * `visit` must not throw: it says false to keep its children from being visited. `waitsFor` names others that only
 * have to be over, whatever they said.
 * Returns the ids that were never visited.
 */
export const walkGraph = async (
  ids: readonly string[],
  parentsOf: (id: string) => readonly string[],
  visit: (id: string) => Promise<boolean>,
  { width = 16, waitsFor = () => [] }: { width?: number; waitsFor?: (id: string) => readonly string[] } = {},
): Promise<string[]> => {
  const known = new Set(ids)
  const passed = new Set<string>()
  const over = new Set<string>()
  const waiting = new Set(ids)
  let running = 0
  let step = Promise.withResolvers<void>()
  const ready = (id: string) =>
    parentsOf(id).every(parent => passed.has(parent) || !known.has(parent)) && waitsFor(id).every(it => over.has(it))
  while (true) {
    for (const id of waiting) {
      if (running >= width) break
      if (!ready(id)) continue
      waiting.delete(id)
      running++
      const passes = (ok: boolean) => {
        running--
        over.add(id)
        if (ok) passed.add(id)
        step.resolve()
      }
      visit(id).then(passes, error => step.reject(error))
    }
    if (running === 0) return [...waiting]
    // One promise at a time: a race of all that run would hang a reaction on each of them every time one ends.
    await step.promise
    step = Promise.withResolvers()
  }
}
