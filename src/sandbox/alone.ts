import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Makes this process the only daemon of a state directory, or says that there is one. The kernel keeps the name (an
 * abstract socket) exactly as long as the process lives: nothing is stale after a kill -9.
 */
export const alone = (directory: string): Promise<boolean> => {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 32)
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (thrown: NodeJS.ErrnoException) =>
      thrown.code === 'EADDRINUSE' ? resolve(false) : reject(thrown),
    )
    server.listen(`\0kapsule-egress-sandbox-${name}`, () => resolve(true))
    server.unref()
  })
}
