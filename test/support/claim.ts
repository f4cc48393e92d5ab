import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until no other process of this machine holds what `name` stands for, and holds it until `release` or its end:
 * two test runs side by side would give the same address to two hosts. Throws before a test's time is over.
 */
export const claim = async (name: string): Promise<{ release(): void }> => {
  for (let n = 0; n < 800; n++) {
    const server = createServer()
    const ours = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      // An abstract socket: the kernel forgets it with the process.
      server.listen(`\0kapsule-egress-test-${name}`, () => resolve(true))
    })
    if (ours) {
      server.unref()
      return { release: () => void server.close() }
    }
    await sleep(200)
  }
  throw new Error(`${name} is taken by another test run`)
}
