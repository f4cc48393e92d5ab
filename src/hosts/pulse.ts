import type { Duplex } from 'node:stream'

// A black hole is seen within 20 s. What is on its way up may take longer on a slow link; OpenSSH says something after
// more than three packets of 32 kB that it took in, which is four of them.
const patienceMs = 20_000
const slowestBytesPerMs = 1
const longestMs = patienceMs + (4 * 32 * 1024 * 1.1) / slowestBytesPerMs

/**
 * Calls `dead` when nothing was heard for too long, while ssh2 pings. ssh2 itself counts unanswered pings, and so takes
 * a slow link for a dead one: they wait behind what is being sent. `sending`: bytes that may still be under way.
 */
export const watchPulse = (stream: Duplex, sending: () => number, dead: () => void): (() => void) => {
  let heard = Date.now()
  const hear = () => {
    heard = Date.now()
  }
  stream.on('data', hear)
  const timer = setInterval(() => {
    const patience = Math.min(longestMs, patienceMs + sending() / slowestBytesPerMs)
    if (Date.now() - heard > patience) dead()
  }, 1000)
  timer.unref()
  return () => {
    clearInterval(timer)
    stream.off('data', hear)
  }
}
