import { back, forward } from './run.ts'

/** `driver.ts ROOT HISTORY forward|back`: one run as a process of its own, so that it can really be killed. */
const [root = '', history = '', act] = process.argv.slice(2)
const fleet = { root, log: `${root}/access.log`, kubeconfig: `${root}/kubeconfig` }
process.stdout.write('begun\n')
await (act === 'back' ? back : forward)(fleet, history)
