// One command in two processes: a launcher under the system's Node, and the project's own Node doing the work.
import { spawn } from 'node:child_process'

const mark = 'EGRESS_LAUNCHER'
const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Runs `node args` in place of this process: same streams, same end. Resolves with its exit code.
 * @param {string} node @param {string[]} args @returns {Promise<number>}
 */
export const inPlace = (node, args) => {
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [mark]: String(process.pid) },
  })
  const handlers = forwarded.map(signal => {
    const send = () => child.connected && child.send({ signal }, () => {})
    process.on(signal, send)
    return () => process.off(signal, send)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const off of handlers) off()
      // Ended by a signal: so do we, and a shell sees what it would have seen.
      if (signal) process.kill(process.pid, signal)
      else resolve(code ?? 1)
    })
  })
}

/**
 * The other side, in the process that works. A terminal sends Ctrl-C to both, so what the launcher passes on counts
 * only when it did not arrive here as well. A launcher that was killed takes us along: whoever killed it meant us.
 */
export const obeyLauncher = ({ sameMs = 500 } = {}) => {
  if (!process.env[mark] || !process.connected) return
  delete process.env[mark]
  let last = Number.NEGATIVE_INFINITY
  const note = () => {
    last = performance.now()
    if (process.listenerCount('SIGINT') === 1) end('SIGINT')
  }
  /** @param {NodeJS.Signals} signal */
  const end = signal => {
    process.off('SIGINT', note)
    process.kill(process.pid, signal)
  }
  process.on('SIGINT', note)
  process.on('message', message => {
    const { signal } = /** @type {{ signal: NodeJS.Signals }} */ (message)
    if (signal !== 'SIGINT') return process.kill(process.pid, signal)
    const before = performance.now()
    setTimeout(() => Math.abs(last - before) > sameMs / 2 && process.kill(process.pid, signal), sameMs / 2).unref()
  })
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel?.unref()
}
