import * as assert from 'uvu/assert'
import { createRefusals } from '../../../src/scaleway/refusals.ts'
import { sshKeyKind } from '../../../src/scaleway/ssh-key.ts'
import { suite } from '../../support/suite.ts'
import { census, deploy, drift, report } from '../network.ts'
import { stage } from './stage.ts'

const { test, after } = suite('hazards/iam')
const open = stage({ after })

const publicKey = `ssh-ed25519 ${'A'.repeat(68)} me@here`
const denied = {
  status: 403,
  body: { type: 'permissions_denied', message: 'insufficient permissions', details: [] },
}

test('the comment of a key may be dropped', async () => {
  const { clients } = await open()
  const want = { name: 'operator', publicKey }
  const live = await sshKeyKind.apply(want, await clients(), null, report)
  assert.not.match(live.publicKey, 'me@here')
  assert.is(sshKeyKind.diff(want, live), null)
  assert.is(sshKeyKind.diff({ ...want, publicKey: publicKey.replace('me@here', 'you@there') }, live), null)
  assert.ok(sshKeyKind.diff({ ...want, publicKey: publicKey.replace('AAAA', 'BBBB') }, live))
})

test('a key has no tags: its name says whose it is', async () => {
  const { clients } = await open()
  const scaleway = await clients()
  await scaleway.iam.createSSHKey({ name: 'operator', publicKey })
  assert.is(await sshKeyKind.read({ name: 'operator', publicKey }, scaleway, report), null)
  await sshKeyKind.apply({ name: 'operator', publicKey }, scaleway, null, report)
  assert.is(await sshKeyKind.read({ name: 'operator', publicKey }, await clients('other'), report), null)
  assert.is((await census(await clients())).keys, 2)
})

test('a new policy is refused for a while, here and there, and a deploy waits for it', async () => {
  const { clients, conditions, wishes } = await open()
  conditions.set({
    seed: 7,
    faults: [
      { on: { path: '/vpc/**' }, forMs: 400, do: denied },
      { on: { method: 'POST', path: '/ipam/**' }, forMs: 400, do: denied },
      { on: { path: '/k8s/**' }, forMs: 400, chance: 0.5, do: denied },
    ],
  })
  const refusals = createRefusals({ lookingMs: 3000, changingMs: 6000 })
  await deploy(await clients('sandbox', { refusals }), wishes())
  conditions.clear()
  assert.equal(await drift(await clients(), wishes()), [])
  assert.is((await census(await clients())).vpcs, 1)
})

test('a policy that never comes is a Problem that names the permission set', async () => {
  const { clients, conditions, wishes } = await open()
  conditions.set({ faults: [{ on: { method: 'POST', path: '/vpc/**/private-networks' }, do: denied }] })
  const refusals = createRefusals({ lookingMs: 50, changingMs: 200 })
  const problem = await deploy(await clients('sandbox', { refusals }), wishes()).catch(it => it)
  assert.match(problem.message, /POST .*\/private-networks .*may not do this/)
  assert.match(problem.next, /PrivateNetworksFullAccess/)
})
