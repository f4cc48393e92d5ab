import { throwAll } from '../../src/engine/plan.ts'
import type { Scaleway } from '../../src/scaleway/client.ts'
import type { Owned } from '../../src/scaleway/leftovers.ts'
import type { Waiter } from '../../src/scaleway/poll.ts'
import { removeEach } from '../../src/scaleway/removal.ts'

/** `removeEach`, all told in one voice; throws what went wrong. */
export const removeAll = async (scaleway: Scaleway, all: readonly Owned[], report: Waiter): Promise<void> => {
  const { failures } = await removeEach(scaleway, all, { reportFor: () => report })
  throwAll(failures.map(it => it.error))
}
