import * as assert from 'uvu/assert'
import { KubeProblem } from '../../../src/rollout/kube/problem.ts'
import { tried } from '../../../src/rollout/preflight/rehearse.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('rollout/preflight: what is tried')

for (const { when, said, why } of [
  { when: 'a refusal is told', said: 'replicas are too many', why: 'replicas are too many' },
  {
    when: 'without the password that it quotes',
    said: 'admission webhook "w" denied the request: HTTP_PROXY is http://anna:hunter2@proxy.example',
    why: 'admission webhook "w" denied the request: HTTP_PROXY is http://***@proxy.example',
  },
  {
    when: 'a right that is missing is told elsewhere',
    said: 'pods is forbidden: User "a" cannot create',
    why: undefined,
  },
])
  test(when, async () => {
    const refused = await tried(async () => {
      throw new KubeProblem('create Pod a/b: refused', said, '-', 403)
    })
    assert.is(refused?.why, why)
  })
