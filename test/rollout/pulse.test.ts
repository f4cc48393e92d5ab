import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { createPulse } from '../../src/rollout/kube/pulse.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('rollout: who holds a Lease is alive')

test('dead is who does not renew it for its duration, however often it is looked at', async () => {
  const isDead = createPulse()
  const spec = { holderIdentity: 'deploy by anna', leaseDurationSeconds: 0.2, renewTime: '1' }
  assert.not(isDead(spec))
  assert.not(isDead({ ...spec }))
  await delay(250)
  assert.ok(isDead(spec))
  assert.not(isDead({ ...spec, renewTime: '2' }))
  await delay(250)
  assert.not(isDead({ ...spec, holderIdentity: 'deploy by ben' }))
  await delay(250)
  assert.not(isDead(null))
  assert.not(isDead({ leaseDurationSeconds: 0.2 }))
})
