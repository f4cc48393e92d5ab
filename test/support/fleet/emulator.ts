import { once } from 'node:events'
import { startFleet } from './fleet.ts'

/** `emulator.ts WANTED PODS`: a fleet as a process of its own, until its input ends. Says where it is. */
const [wanted = '{}', pods = '{}'] = process.argv.slice(2)
const fleet = await startFleet(JSON.parse(wanted), JSON.parse(pods))
process.stdout.write(`${fleet.root}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await fleet.close()
