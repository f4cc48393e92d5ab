import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { alone } from './alone.ts'
import { serveControl } from './control.ts'
import { createFirewallRules, type FirewallRule } from './internet/firewall-rules.ts'
import { startInternet } from './internet/internet.ts'
import { createClusters } from './kubernetes/clusters.ts'
import { replaceFile } from './machines/files.ts'
import { createMachines } from './machines/machines.ts'
import { heldBy, startTime } from './machines/slots.ts'
import { prepare } from './prepare.ts'
import { createScaleway } from './scaleway/api.ts'
import { createState, scalewayConfig } from './state.ts'
import { partnerNetwork, partnerPath, statusOf } from './status.ts'
import { trackClusters } from './track-clusters.ts'

const rangesOf = (rules: readonly FirewallRule[]): string[] => rules.map(it => it.rule)

/**
 * The background process of a sandbox: two emulated APIs over real machines. It can be killed at any moment: what it made
 * goes on, and the next one takes over from state.json and from what the kernel says is there.
 */
const directory = process.argv[2]!
const world = heldBy(directory)
if (!world) throw new Error(`${directory} holds no slot: start the sandbox with its command`)

if (!(await alone(directory))) process.exit(0)
replaceFile(join(directory, 'daemon.pid'), `${process.pid} ${startTime(process.pid)}\n`)
process.on('unhandledRejection', thrown => console.error('unhandled:', thrown))

const store = createState(directory)
const { state } = store
const authority = await prepare(world)
const parts = await createMachines(world, authority.ca)
const internet = await startInternet(world, authority, parts.background, rangesOf(state.partner.rules))

const kubernetes = await createClusters({
  pods: parts.pods,
  directory: join(directory, 'kubernetes'),
  ...(state.kubernetes ? { saved: state.kubernetes as never } : {}),
  onChange: store.changed,
})
const clusters = trackClusters(kubernetes, { state, changed: store.changed, directory, serveApi: parts.serveApi })
const scaleway = createScaleway({
  machines: parts.machines,
  clusters,
  clock: { scale: Number(process.env.EGRESS_SANDBOX_CLOCK ?? 0.05) },
  credentials: state.credentials,
  ...(state.scaleway ? { saved: state.scaleway as never } : {}),
  onChange: store.changed,
})
store.from(() => ({ ...state, scaleway: scaleway.state(), kubernetes: kubernetes.state() }))

const partner = createFirewallRules({
  network: partnerNetwork,
  key: state.partner.key,
  rules: state.partner.rules,
  async onChange(rules) {
    await internet.admit(rangesOf(rules))
    state.partner.rules = [...rules]
    store.save()
  },
})
replaceFile(join(directory, 'partner.key'), `${state.partner.key}\n`)

const api = createServer((request, response) => {
  const path = request.url ?? '/'
  if (path.startsWith(`${partnerPath}/`)) partner.handle(request, response, path.slice(partnerPath.length))
  else scaleway.handle(request, response)
})
await new Promise<void>((resolve, reject) => {
  api.once('error', reject)
  api.listen(state.port, '127.0.0.1', resolve)
})
state.port = (api.address() as AddressInfo).port
const url = `http://127.0.0.1:${state.port}`
replaceFile(join(directory, 'scw.yaml'), scalewayConfig(state.credentials, url))
store.save()

await scaleway.reconcile()
await kubernetes.reconcile()
await clusters.serveAll()

const control = await serveControl(join(world.run, 'control.sock'), {
  status: () => statusOf({ world, url, state, hosts: parts.hosts() }),
  admit: ranges => partner.set(ranges),
})

const end = async () => {
  control.close()
  api.close()
  store.save()
  parts.close()
  await Promise.all([scaleway.close(), kubernetes.close()])
  rmSync(join(directory, 'daemon.pid'), { force: true })
  process.exit(0)
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end())
