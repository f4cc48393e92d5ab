import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { claimOf, claimSlot, heldBy } from '../../../src/sandbox/machines/slots.ts'
import { teardown } from '../../../src/sandbox/machines/teardown.ts'
import { at } from '../../../src/sandbox/machines/world.ts'
import { Trouble } from '../../../src/sandbox/trouble.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../../support/until.ts'
import { newLab, start } from './world.ts'

const { test, after } = suite('machines survive their daemon and leave nothing behind')

const made: string[] = []
const newDirectory = (name = '') => {
  const directory = mkdtempSync(join(tmpdir(), `egress-machines-${name}`))
  made.push(directory)
  return directory
}
after(async () => {
  for (const it of made) await teardown(it)
})

const namespaces = () =>
  new Set(
    readdirSync('/proc')
      .filter(it => /^\d+$/.test(it))
      .map(it => {
        try {
          return readlinkSync(`/proc/${it}/ns/net`)
        } catch {
          return ''
        }
      }),
  ).size

const machine = (prefix: string) => ({
  links: readdirSync('/sys/class/net').filter(it => it.startsWith(prefix)),
  netns: existsSync('/run/netns') ? readdirSync('/run/netns').filter(it => it.startsWith(prefix)) : [],
  mounts: readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter(it => /egress-machines|kapsule-egress/.test(it)).length,
  routes: execFileSync('ip', ['route'], { encoding: 'utf8' })
    .split('\n')
    .filter(it => it.includes(`dev ${prefix}`)).length,
  namespaces: namespaces(),
})

/** A lab in a process of its own, which is killed as soon as it is up. */
const inAnotherProcess = (directory: string) =>
  new Promise<void>((resolve, reject) => {
    const program = `
      import { claimSlot } from '${import.meta.dirname}/../../../src/sandbox/machines/slots.ts'
      import { at } from '${import.meta.dirname}/../../../src/sandbox/machines/world.ts'
      import { start } from '${import.meta.dirname}/world.ts'
      const world = await claimSlot(${JSON.stringify(directory)}, it => it)
      const { parts } = await start(world)
      await parts.machines.serverUp({ id: 's1', name: 'kept', publicIps: [at(world, 100)], nics: [], securityGroup: null, userData: null, authorizedKeys: [] })
      await parts.machines.nodeUp({ id: 'n1', name: 'node', clusterId: 'c1', networkId: 'pn', address: '172.16.28.30/22', defaultRoute: null })
      await parts.pods.joinNode({ name: 'node', clusterId: 'c1', podCidr: '10.100.0.0/24', clusterPodCidr: '10.100.0.0/16', serviceCidr: '10.32.0.0/20', peers: [] })
      await parts.pods.start({ uid: 'p1', name: 'p', namespace: 'demo', node: 'node', clusterId: 'c1', ip: '10.100.0.5', dns: { nameservers: [], searches: [], options: [] },
        containers: [{ name: 'main', command: ['sleep', 'infinity'], env: {}, files: {} }] })
      console.log('up')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.on('data', () => child.kill('SIGKILL'))
    child.on('close', (_code, signal) =>
      signal === 'SIGKILL' ? resolve() : reject(new Error('the lab did not come up')),
    )
  })

test('what ran goes on after a kill -9; the next one finds it, and down removes it all', async () => {
  const directory = newDirectory()
  await inAnotherProcess(directory)
  const world = heldBy(directory)!
  assert.ok(world)
  const lab = await start(world)
  const server = lab.parts.hosts().find(it => it.name === 'kept')
  assert.ok(server?.pid)
  const before = (await lab.parts.pods.state('p1'))?.containers.main
  assert.is(before?.exitCode, null)
  const spec = {
    id: 's1',
    name: 'kept',
    publicIps: [`${at(world, 60)}`],
    nics: [],
    securityGroup: null,
    userData: null,
    authorizedKeys: [],
  }
  await lab.parts.machines.serverUp(spec)
  assert.is(lab.parts.hosts().find(it => it.name === 'kept')?.pid, server.pid, 'it was left alone')

  process.kill(server.pid, 'SIGKILL')
  while (lab.parts.hosts().find(it => it.name === 'kept')?.pid !== null) await new Promise(it => setTimeout(it, 10))
  await lab.parts.machines.serverUp(spec)
  assert.ok(lab.parts.hosts().find(it => it.name === 'kept')?.pid, 'it was started again')

  const pod = lab.parts.hosts().find(it => it.name === 'demo/p')!
  process.kill(pod.pid!, 'SIGKILL')
  while ((await lab.parts.pods.state('p1'))?.running) await new Promise(it => setTimeout(it, 10))
  assert.is((await lab.parts.pods.state('p1'))?.containers.main?.exitCode, 137)
  lab.parts.close()
  assert.is(await teardown(directory), true)
  assert.is(await teardown(directory), false, 'a second time there is nothing to do')
  assert.is(existsSync(directory), false)
  const left = machine(world.prefix)
  assert.equal({ ...left, namespaces: 0, mounts: 0 }, { links: [], netns: [], routes: 0, namespaces: 0, mounts: 0 })
})

test('the machine is as it was', async () => {
  const first = await newLab()
  const { prefix } = first.world
  first.parts.close()
  await teardown(first.directory)
  const before = machine(prefix)
  const lab = await newLab()
  await lab.parts.machines.serverUp({
    id: 's',
    name: 's',
    publicIps: [`${at(lab.world, 100)}`],
    nics: [],
    securityGroup: null,
    userData: null,
    authorizedKeys: [],
  })
  lab.parts.close()
  await teardown(lab.directory)
  // What was the last process of a namespace may take a moment more to be gone.
  await until(() => machine(prefix).namespaces <= before.namespaces, 30)
  const now = machine(prefix)
  assert.ok(now.namespaces <= before.namespaces, `${now.namespaces} namespaces, ${before.namespaces} before`)
  assert.equal({ ...now, namespaces: 0 }, { ...before, namespaces: 0 })
})

test('two at once have different slots; a claim nobody stands behind is taken over', async () => {
  const directories = ['a', 'b'].map(it => newDirectory(it))
  const a = await claimSlot(directories[0]!, it => it)
  assert.is((await claimSlot(directories[0]!, it => it)).slot, a.slot, 'the same directory gets its own again')
  // a machine may have no more room than one: then the second is told who holds it
  const b = await claimSlot(directories[1]!, it => it).catch(thrown => thrown as Trouble)
  if (b instanceof Trouble) assert.ok(b.why.includes(directories[0]!))
  else assert.is.not(b.slot, a.slot)
  for (const it of directories) await teardown(it)
  assert.is(claimOf(a.slot)?.directory === directories[0], false)
  const gone = newDirectory('gone')
  const claimed = await claimSlot(gone, it => it)
  execFileSync('rm', ['-rf', gone])
  const next = newDirectory('next')
  assert.is((await claimSlot(next, it => it)).slot, claimed.slot)
  await teardown(next)
})
