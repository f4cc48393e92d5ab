import { semaphore } from '../../engine/semaphore.ts'

const turns = new Map<string, ReturnType<typeof semaphore>>()

/**
 * One after the other, of all that tenants who share a list do to it: what may go depends on what is left. One process
 * leads at a time, so its own steps are all there are. `list`: as a person calls it.
 */
export const inTurn = <T>(list: string, act: () => Promise<T>): Promise<T> => {
  const turn = turns.get(list) ?? semaphore(1)
  turns.set(list, turn)
  return turn(act)
}
