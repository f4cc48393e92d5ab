import * as assert from 'uvu/assert'
import { judge } from '../../../src/rollout/gates/gate.ts'
import { judgeTunnel, partnerAnswers, proofOf } from '../../../src/rollout/gates/partner-answers.ts'
import type { Subject } from '../../../src/rollout/gates/subject.ts'
import { type Answer, noLogs, type Probes } from '../../../src/rollout/probe.ts'
import type { Pod } from '../../../src/rollout/workload.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('gates: the partner lets it in')

const said = (stdout: string, code = 0): Answer => ({ code, stdout, stderr: '' })

for (const { when, answer, verdict } of [
  { when: 'a tunnel with TLS in it', answer: said('seen 404 200'), verdict: 'pass' },
  { when: 'a tunnel to what speaks no TLS', answer: said('HTTP/1.1 200 Connection established\r\nseen 0 200', 35), verdict: 'pass' }, // biome-ignore format: one line
  { when: 'a tunnel to what says nothing', answer: said('seen 0 200', 28), verdict: 'pass' },
  { when: 'a refusal of the proxy', answer: said('X-Squid-Error: ERR_ACCESS_DENIED 0\r\nseen 0 403', 56), verdict: 'fail' }, // biome-ignore format: one line
  { when: 'a partner that drops', answer: said('X-Squid-Error: ERR_CONNECT_FAIL 110\r\nseen 0 503', 56), verdict: 'fail' }, // biome-ignore format: one line
  { when: 'silence', answer: said('seen 0 0', 28), verdict: 'inconclusive' },
  { when: 'an answer past the proxy', answer: said('seen 200 0'), verdict: 'inconclusive' },
  { when: 'no curl', answer: { unheard: 'no curl' }, verdict: 'inconclusive' },
])
  test(`a tunnel: ${when}`, () => assert.is(judgeTunnel('p to db', answer).verdict, verdict))

test('host and port are a tunnel, a URL is asked as it is', () => {
  assert.equal(proofOf('db.example:5432'), { url: 'https://db.example:5432/', tunnel: true })
  assert.equal(proofOf('https://api.example/x'), { url: 'https://api.example/x', tunnel: false })
})

const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'n' }, spec: { containers: [] } }
const subject = {
  tenant: 'a',
  namespace: 'n',
  workload: { kind: 'Deployment', name: 'web' },
  proxy: { address: '172.16.28.8', port: 3128 },
  proxies: [{ address: '172.16.28.8', port: 3128, publicIp: '203.0.113.7' }],
  ...{ echo: [], forbidden: '', allowed: [], inside: [], prove: 'https://partner.example/' },
} as Subject

/** A partner that answers so, one after the other; the proxy's log tells the address they left by. */
const asked = async (answers: string[], egress = '203.0.113.7') => {
  const agents: string[] = []
  const probes: Probes = {
    ...noLogs,
    pods: async () => [pod],
    curl: async (_pod, args) => {
      agents.push(args[args.indexOf('-A') + 1]!)
      return said(answers.shift() ?? 'seen 200 200')
    },
    asMoved: async pod => pod,
    curlAsMoved: async () => said(''),
    sockets: async () => ({ list: [] }),
    log: async () => '',
    lastWords: async () => '',
    witnessed: async () =>
      agents.map(agent => ({ time: 0, agent, tenant: 'a', verdict: 'allowed', egress, client: 'p', host: 'partner' })),
  }
  const { signal } = new AbortController()
  const verdict = await judge(partnerAnswers, subject, probes, { signal, sleep: async () => undefined })
  return { verdict: verdict.verdict, asked: agents.length }
}

test('the first answer is enough', async () => assert.equal(await asked([]), { verdict: 'pass', asked: 1 }))

test('a firewall that takes a while is asked again', async () =>
  assert.equal(await asked(['seen 403 200', 'seen 403 200']), { verdict: 'pass', asked: 3 }))

test('one that goes on refusing is a failure, a partner that is down is not decided', async () => {
  assert.equal(await asked(Array(9).fill('seen 403 200')), { verdict: 'fail', asked: 6 })
  assert.is((await asked(Array(9).fill('seen 503 200'))).verdict, 'inconclusive')
})

test('an answer to another address is none', async () => assert.is((await asked([], '198.51.100.7')).verdict, 'fail'))
