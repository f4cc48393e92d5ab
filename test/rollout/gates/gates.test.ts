import * as assert from 'uvu/assert'
import { allowedAnswers, judgeAnswer } from '../../../src/rollout/gates/allowed-answers.ts'
import { answerIn } from '../../../src/rollout/gates/answer.ts'
import { clusterWorks } from '../../../src/rollout/gates/cluster-works.ts'
import { directBlocked, isBlocked } from '../../../src/rollout/gates/direct-blocked.ts'
import { egressAddressGate, proxyAnswers } from '../../../src/rollout/gates/egress-address.ts'
import { forbiddenRefused, marked } from '../../../src/rollout/gates/forbidden-refused.ts'
import { judgeRequests, judgeSockets, ownTraffic } from '../../../src/rollout/gates/own-traffic.ts'
import { podsReady } from '../../../src/rollout/gates/pods-ready.ts'
import type { Socket } from '../../../src/rollout/gates/sockets.ts'
import type { Subject } from '../../../src/rollout/gates/subject.ts'
import { judgeWitness, marks, type Witnessed } from '../../../src/rollout/gates/witness.ts'
import { type Answer, addressIn, noLogs, type Probes } from '../../../src/rollout/probe.ts'
import type { ContainerStatus, Pod } from '../../../src/rollout/workload.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('rollout/gates')

const subject: Subject = {
  tenant: 'a',
  namespace: 'a-demo',
  workload: { kind: 'Deployment', name: 'web' },
  proxy: { address: '172.16.28.8', port: 3128 },
  proxies: [{ address: '172.16.28.8', port: 3128, publicIp: '203.0.113.7' }],
  echo: ['http://echo.example/', 'https://echo.example/'],
  forbidden: 'http://egress-probe.invalid/',
  allowed: ['https://partner.example/', 'http://other.example/'],
  inside: ['100.64.0.0/15', '10.32.0.0/20'],
}

const pod = (name: string, ready = true, status: Partial<ContainerStatus> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a-demo' },
  spec: { containers: [{ name: 'c' }] },
  status: {
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', ready, restartCount: 0, ...status }],
  },
})

const said = (stdout: string, code = 0): Answer => ({ code, stdout, stderr: '' })

type Told = {
  sockets?: Socket[] | null
  seenFrom?: Witnessed[] | null
  pods?: Pod[] | null
  log?: string[] | null | 'echo'
  /** What the proxy's log says otherwise of marked requests; null: it could not be read. */
  witnessed?: Partial<Witnessed> | null
}

/** Pods that answer as told; `curl` gets the pod and what it was asked. */
const probes = (
  curl: (pod: string, args: string[]) => Answer,
  { pods = [pod('p1'), pod('p2')], log = [], witnessed = {}, sockets = [], seenFrom = [] }: Told = {},
): Probes => ({
  pods: async () => pods,
  curl: async (of, args) => curl(of.metadata.name, args),
  asMoved: async of => pod(`${of.metadata.name}, moved`),
  curlAsMoved: async (of, args) => curl(`${of.metadata.name}, moved`, args),
  witnessed: async (mark, atLeast) => {
    const usual = {
      time: 0,
      tenant: 'a',
      verdict: 'allowed',
      egress: '203.0.113.7',
      client: '10.0.0.1',
      host: 'echo.example',
    }
    if (!witnessed) return null
    return Array.from({ length: atLeast }, (_, n) => ({ ...usual, agent: `${mark}-${n}-`, ...witnessed }))
  },
  sockets: async ({ metadata: { name } }) => (sockets ? { list: sockets } : { unheard: `${name} has no cat` }),
  seenFrom: async () => seenFrom,
  log: async () => 'connecting',
  here: noLogs.here,
  lastWords: async () => 'connecting | boom',
  auditLog: async needle => (log === 'echo' ? [`DENIED ${needle}`] : log),
})

for (const { when, answer, pods, verdict } of [
  { when: 'all are seen with the fixed address', answer: () => said('203.0.113.7\n'), verdict: 'pass' },
  {
    when: 'one pod is not',
    answer: (it: string) => said(it === 'p2' ? '203.0.113.1' : '203.0.113.7'),
    verdict: 'fail',
  },
  {
    when: 'one service sees another',
    answer: (_: string, args: string[]) => said(args.at(-1)?.startsWith('https') ? '203.0.113.1' : '203.0.113.7'),
    verdict: 'fail',
  },
  {
    when: 'one pod does not answer',
    answer: (it: string) => (it === 'p2' ? said('', 28) : said('203.0.113.7')),
    verdict: 'inconclusive',
  },
  { when: 'no curl', answer: () => ({ unheard: 'container c of pod p1 has no curl' }), verdict: 'inconclusive' },
  { when: 'an answer without address', answer: () => said('hello'), verdict: 'inconclusive' },
  { when: 'no pods', answer: () => said('203.0.113.7'), pods: [], verdict: 'inconclusive' },
  { when: 'no workload', answer: () => said('203.0.113.7'), pods: null, verdict: 'inconclusive' },
]) {
  test(`egress address, ${when}: ${verdict}`, async () => {
    const asked = await egressAddressGate.ask(subject, probes(answer, pods === undefined ? {} : { pods }), new Map())
    assert.is(asked.verdict, verdict)
  })
}

for (const { when, witnessed, verdict } of [
  { when: 'says the same', witnessed: {}, verdict: 'pass' },
  { when: 'could not be read', witnessed: null, verdict: 'inconclusive' },
  { when: 'knows nothing of it', witnessed: { agent: 'another' }, verdict: 'inconclusive' },
  { when: 'took it for another tenant', witnessed: { tenant: 'b' }, verdict: 'fail' },
]) {
  test(`egress address, the proxy's log ${when}: ${verdict}`, async () => {
    const answering = probes(() => said('203.0.113.7'), { witnessed })
    assert.is((await egressAddressGate.ask(subject, answering, new Map())).verdict, verdict)
  })
}

const line = { time: 0, agent: 'm-0-', tenant: 'a', verdict: 'allowed', egress: '203.0.113.7', client: 'c', host: 'h' }
for (const { when, lines, verdict } of [
  { when: 'all there', lines: [line, { ...line, agent: 'm-1-' }], verdict: 'pass' },
  { when: 'one missing', lines: [line], verdict: 'inconclusive' },
  { when: 'one twice', lines: [line, line], verdict: 'inconclusive' },
  { when: 'nobody', lines: [{ ...line, tenant: null }], verdict: 'fail' },
  { when: 'denied', lines: [{ ...line, verdict: 'denied' }], verdict: 'fail' },
  {
    when: 'in report mode',
    lines: [
      { ...line, verdict: 'would_deny' },
      { ...line, agent: 'm-1-' },
    ],
    verdict: 'pass',
  },
  {
    when: 'behind a gateway',
    lines: [
      { ...line, egress: '172.16.28.8' },
      { ...line, agent: 'm-1-' },
    ],
    verdict: 'pass',
  },
  { when: 'by another address', lines: [line, { ...line, agent: 'm-1-', egress: '203.0.113.9' }], verdict: 'fail' },
  { when: 'by none', lines: [{ ...line, egress: null }], verdict: 'fail' },
  { when: 'nothing read', lines: null, verdict: 'inconclusive' },
]) {
  test(`witness, ${when}: ${verdict}`, () => {
    assert.is(judgeWitness(subject, ['m-0-', 'm-1-'], lines).verdict, verdict)
  })
}

test('the marks of two measurements differ, and none holds another', () => {
  const [one, two] = [marks(), marks()]
  assert.is.not(one.mark, two.mark)
  assert.not(one.of(10).includes(one.of(1)))
})

const two = {
  ...subject,
  proxy: { address: 'egress-proxy', port: 3128 },
  proxies: [...subject.proxies, { address: '172.16.28.18', port: 3128, publicIp: '203.0.113.8' }],
}

test('of two fixed addresses each is right, and none other', async () => {
  const seen = async (address: string) =>
    (
      await egressAddressGate.ask(
        two,
        probes(pod => said(pod === 'p1' ? '203.0.113.7' : address)),
        new Map(),
      )
    ).verdict
  assert.is(await seen('203.0.113.8'), 'pass')
  assert.is(await seen('203.0.113.9'), 'fail')
})

test('each of two proxies must show its own address, and the Service before them any', async () => {
  const asked = async (byService: string, bySecond: string) => {
    const answers: Record<string, string> = {
      'http://172.16.28.8:3128': '203.0.113.7',
      'http://172.16.28.18:3128': bySecond,
      'http://egress-proxy:3128': byService,
    }
    return (
      await proxyAnswers.ask(
        two,
        probes((_, args) => said(answers[args[3] ?? ''] ?? '')),
        new Map(),
      )
    ).verdict
  }
  assert.is(await asked('203.0.113.8', '203.0.113.8'), 'pass')
  assert.is(await asked('203.0.113.8', '203.0.113.7'), 'fail', 'the second leaves by the address of the first')
  assert.is(await asked('203.0.113.1', '203.0.113.8'), 'fail')
})

for (const [when, answer, verdict] of [
  ['is cut off after its handshake', { code: 56, stdout: '', stderr: 'alert certificate required' }, 'pass'],
  ['is cut off while it asks', { code: 55, stdout: '', stderr: 'getpeername() failed' }, 'pass'],
  ['is told so in the handshake', { code: 35, stdout: '', stderr: 'sslv3 alert handshake failure' }, 'pass'],
  ['finds no TLS', { code: 35, stdout: '', stderr: 'wrong version number' }, 'inconclusive'],
  ['finds nobody', { code: 7, stdout: '', stderr: 'refused' }, 'inconclusive'],
  ['is let through', { code: 0, stdout: '203.0.113.7', stderr: '' }, 'fail'],
  ['is answered', { code: 56, stdout: '', stderr: 'CONNECT tunnel failed, response 403' }, 'fail'],
] as const)
  test(`a pod without a certificate ${when}: ${verdict}`, async () => {
    const certified = { ...subject, proxies: [{ ...subject.proxies[0]!, certificates: true }] }
    const asked = await proxyAnswers.ask(
      certified,
      probes((_, args) => {
        assert.is(args[3], 'https://172.16.28.8:3128')
        return answer
      }),
      new Map(),
    )
    assert.is(asked.verdict, verdict)
  })

test('the proxy is asked by name, past NO_PROXY', async () => {
  const args: string[][] = []
  const asked = await proxyAnswers.ask(
    subject,
    probes((_, it) => {
      args.push(it)
      return said('203.0.113.7')
    }),
    new Map(),
  )
  assert.is(asked.verdict, 'pass')
  assert.equal(args[0]?.slice(0, 4), ['--noproxy', '', '--proxy', 'http://172.16.28.8:3128'])
})

for (const { code, connected = '0.000000', verdict } of [
  { code: 7, verdict: 'pass' },
  { code: 28, verdict: 'pass' },
  { code: 0, connected: '0.010000', verdict: 'fail' },
  { code: 0, verdict: 'fail' },
  { code: 28, connected: '0.010000', verdict: 'fail' },
  { code: 60, connected: '0.010000', verdict: 'fail' },
  { code: 56, connected: '0.010000', verdict: 'fail' },
  { code: 6, verdict: 'inconclusive' },
  { code: 35, verdict: 'inconclusive' },
]) {
  test(`direct access, curl exit ${code} connect ${connected}: ${verdict}`, () => {
    assert.is(isBlocked('p', said(connected, code)).verdict, verdict)
  })
}

test('direct access of one pod of two is a failure', async () => {
  const asked = await directBlocked.ask(
    subject,
    probes(it => (it === 'p1' ? said('0', 7) : said('0.1'))),
    new Map(),
  )
  assert.is(asked.verdict, 'fail')
})

for (const { when, answer, log, verdict } of [
  { when: 'refused and logged', answer: said('403 000'), log: 'echo' as const, verdict: 'pass' },
  { when: 'CONNECT refused and logged', answer: said('000 403', 56), log: 'echo' as const, verdict: 'pass' },
  { when: 'refused, not logged', answer: said('403 000'), log: [], verdict: 'fail' },
  { when: 'refused, log unreadable', answer: said('403 000'), log: null, verdict: 'inconclusive' },
  { when: 'allowed', answer: said('200 000'), log: 'echo' as const, verdict: 'fail' },
  { when: 'another error', answer: said('503 000'), log: 'echo' as const, verdict: 'fail' },
  { when: 'silence', answer: said('000 000', 28), log: 'echo' as const, verdict: 'inconclusive' },
]) {
  test(`forbidden destination, ${when}: ${verdict}`, async () => {
    const asked = await forbiddenRefused.ask(
      subject,
      probes(() => answer, { log }),
      new Map(),
    )
    assert.is(asked.verdict, verdict)
  })
}

test('each request to the forbidden destination has a name of its own', () => {
  const [one, two] = [marked('https://no.example/x'), marked('https://no.example/x')]
  assert.is.not(one.needle, two.needle)
  assert.is(one.url, `https://${one.needle}.no.example/x`)
  assert.equal(marked('http://10.0.0.1/'), { url: 'http://10.0.0.1/', needle: '10.0.0.1' })
})

for (const { answer, verdict } of [
  { answer: said('401 000'), verdict: 'pass' },
  { answer: said('200 000'), verdict: 'pass' },
  { answer: said('000 403', 56), verdict: 'fail' },
  { answer: said('000 000', 6), verdict: 'fail' },
  { answer: said('000 000', 7), verdict: 'fail' },
  { answer: said('000 000', 28), verdict: 'fail' },
  { answer: said('000 000', 35), verdict: 'inconclusive' },
]) {
  test(`in-cluster, ${JSON.stringify(answer)}: ${verdict}`, async () => {
    assert.is(
      (
        await clusterWorks.ask(
          subject,
          probes(() => answer),
          new Map(),
        )
      ).verdict,
      verdict,
    )
  })
}

const never = () => said('')
const backingOff = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 9 } } }
const restarts = (restartCount: number) => [pod('p', true, { restartCount })]
for (const { when, looks, before, verdict } of [
  { when: 'ready', looks: [[pod('p')]], verdict: 'pass' },
  { when: 'starting', looks: [[pod('p', false)]], verdict: 'inconclusive' },
  { when: 'ready, then not', looks: [[pod('p')], [pod('p', false)]], verdict: 'fail' },
  { when: 'one ready, another starting', looks: [[pod('p'), pod('q', false)]], verdict: 'inconclusive' },
  { when: 'restarted before, nobody knows when', looks: [restarts(5)], verdict: 'pass' },
  { when: 'restarted before the move', looks: [restarts(5)], before: { 'p/c': 5 }, verdict: 'pass' },
  { when: 'restarted once since', looks: [restarts(6)], before: { 'p/c': 5 }, verdict: 'pass' },
  { when: 'restarted twice since', looks: [restarts(7)], before: { 'p/c': 5 }, verdict: 'fail' },
  { when: 'new, restarted once', looks: [restarts(1)], before: { 'old/c': 9 }, verdict: 'pass' },
  { when: 'new, restarted twice', looks: [restarts(2)], before: { 'old/c': 9 }, verdict: 'fail' },
  { when: 'restarts meanwhile', looks: [[pod('p')], restarts(1)], before: {}, verdict: 'fail' },
  { when: 'backing off', looks: [[pod('p', false, backingOff)]], verdict: 'fail' },
  { when: 'none', looks: [[]], verdict: 'inconclusive' },
] as { when: string; looks: Pod[][]; before?: Record<string, number>; verdict: string }[]) {
  test(`pods, ${when}: ${verdict}`, async () => {
    const memory = new Map<string, number>()
    const it = { ...subject, ...(before && { restartsBefore: before }) }
    let last = ''
    for (const pods of looks) last = (await podsReady.ask(it, probes(never, { pods }), memory)).verdict
    assert.is(last, verdict)
  })
}

test('a pod that crashes is told with its exit code and last lines', async () => {
  const asked = await podsReady.ask(subject, probes(never, { pods: [pod('p', false, backingOff)] }), new Map())
  const reason = 'p/c restarts (CrashLoopBackOff, 0 restarts in all), exit code 9; last lines: connecting | boom'
  assert.equal(asked, { verdict: 'fail', reason })
})

test('a pod that was ready and ended is told with its exit code, before it restarts', async () => {
  const memory = new Map<string, number>()
  await podsReady.ask(subject, probes(never, { pods: [pod('p')] }), memory)
  const ended = pod('p', false, { state: { terminated: { exitCode: 42, reason: 'Error' } } })
  const asked = await podsReady.ask(subject, probes(never, { pods: [ended] }), memory)
  const reason = 'p/c has ended (Error, 0 restarts in all), exit code 42; last lines: connecting | boom'
  assert.equal(asked, { verdict: 'fail', reason })
})

test('an init container that crashes is seen', async () => {
  const starting = pod('p', false)
  starting.status!.initContainerStatuses = [{ name: 'setup', ready: false, restartCount: 1, ...backingOff }]
  const asked = await podsReady.ask(subject, probes(never, { pods: [starting] }), new Map())
  assert.match(JSON.stringify(asked), /fail.*p.setup restarts/)
})

for (const { when, answer, verdict } of [
  { when: 'answers', answer: said('HTTP/1.1 200 OK\n\nseen 200 200'), verdict: 'pass' },
  { when: 'plain', answer: said('seen 204 000'), verdict: 'pass' },
  { when: 'wants a login', answer: said('seen 401 200'), verdict: 'pass' },
  { when: 'does not know us', answer: said('seen 403 200'), verdict: 'fail' },
  { when: 'is refused', answer: said('X-Squid-Error: ERR_ACCESS_DENIED 0\n\nseen 403 000'), verdict: 'fail' },
  { when: 'is refused as a tunnel', answer: said('seen 000 403', 56), verdict: 'fail' },
  { when: 'is down', answer: said('x-squid-error: ERR_CONNECT_FAIL 111\n\nseen 503 000'), verdict: 'fail' },
  { when: 'has trouble of its own', answer: said('seen 500 200'), verdict: 'inconclusive' },
  { when: 'is silent', answer: said('seen 000 000', 28), verdict: 'inconclusive' },
  { when: 'breaks off', answer: said('seen 200 200', 18), verdict: 'inconclusive' },
  { when: 'cannot be asked', answer: { unheard: 'no curl' }, verdict: 'inconclusive' },
]) {
  test(`allowed destination, ${when}: ${verdict}`, () => assert.is(judgeAnswer('p', answerIn(answer)).verdict, verdict))
}

test('every allowed destination is asked from every pod, and the log says so', async () => {
  const asked: string[] = []
  const answer = (from: string, args: string[]) => {
    asked.push(`${from} ${args.at(-1)}`)
    return said('seen 200 200')
  }
  const ask = async (told: Told) => (await allowedAnswers.ask(subject, probes(answer, told), new Map())).verdict
  assert.is(await ask({}), 'pass')
  assert.is(asked.length, 4)
  assert.is(await ask({ witnessed: { verdict: 'denied' } }), 'fail')
  assert.is(await ask({ witnessed: null }), 'inconclusive')
})

const socket = (remote: string, port = 443, state: Socket['state'] = 'asking'): Socket => ({ remote, port, state })
for (const { when, sockets, verdict } of [
  { when: 'none', sockets: [], verdict: 'pass' },
  { when: 'to the proxy', sockets: [socket('172.16.28.8', 3128, 'established')], verdict: 'pass' },
  {
    when: 'to a pod, a Service, itself',
    sockets: ['100.65.1.2', '10.32.0.1', '127.0.0.1', '::1'].map(it => socket(it)),
    verdict: 'pass',
  },
  { when: 'asked for past the proxy', sockets: [socket('203.0.113.50')], verdict: 'fail' },
  { when: 'made past the proxy', sockets: [socket('203.0.113.50', 443, 'established')], verdict: 'fail' },
  { when: 'to a neighbour in the private network', sockets: [socket('172.16.28.9', 5432)], verdict: 'fail' },
  { when: 'by IPv6', sockets: [socket('2001:db8:0:0:0:0:0:1')], verdict: 'fail' },
]) {
  test(`connections, ${when}: ${verdict}`, () => assert.is(judgeSockets(subject, 'p', sockets).verdict, verdict))
}

for (const { when, lines, verdict } of [
  { when: 'has one', lines: [{ ...line, time: 9, agent: 'Go-http-client/1.1' }], verdict: 'pass' },
  { when: 'has one from before', lines: [{ ...line, time: 4, agent: 'Go-http-client/1.1' }], verdict: 'inconclusive' },
  { when: 'has ours alone', lines: [{ ...line, time: 9, agent: 'egress-probe-1-' }], verdict: 'inconclusive' },
  { when: 'has none', lines: [], verdict: 'inconclusive' },
  { when: 'is not there', lines: null, verdict: 'inconclusive' },
]) {
  test(`a pod nobody can look into, the log ${when}: ${verdict}`, () => {
    assert.is(judgeRequests('no cat', lines, 5).verdict, verdict)
  })
}

test('a program that goes past the proxy is named with its pod', async () => {
  const asked = await ownTraffic.ask(subject, probes(never, { sockets: [socket('203.0.113.50')] }), new Map())
  const reason = 'p1: a program asks for a connection to 203.0.113.50 port 443, past the proxy'
  assert.equal(asked, { verdict: 'fail', reason })
  const blind = await ownTraffic.ask(subject, probes(never, { sockets: null }), new Map())
  assert.match(JSON.stringify(blind), /inconclusive.*no cat/)
})

test('addresses are found in plain and JSON answers', () => {
  assert.is(addressIn('203.0.113.7\n'), '203.0.113.7')
  assert.is(addressIn('{"ip":"203.0.113.7"}'), '203.0.113.7')
  assert.is(addressIn('2001:db8::1'), '2001:db8::1')
  assert.is(addressIn('not 999.1.1.1'), null)
})
