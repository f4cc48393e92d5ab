import { createServer } from 'node:http'
import { createServer as createTcp, type Server } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Problem } from '../../../src/engine/problem.ts'
import { answerIn } from '../../../src/rollout/gates/answer.ts'
import { conditionOf } from '../../../src/rollout/gates/condition.ts'
import { judgeStatus } from '../../../src/rollout/gates/http.ts'
import { judgeLog } from '../../../src/rollout/gates/log.ts'
import type { Verdict } from '../../../src/rollout/gates/measure.ts'
import { judgeValues } from '../../../src/rollout/gates/prometheus.ts'
import type { Subject } from '../../../src/rollout/gates/subject.ts'
import { judgeConnection } from '../../../src/rollout/gates/tcp.ts'
import { type UserGate, userGate } from '../../../src/rollout/gates/user-gates.ts'
import { createHere } from '../../../src/rollout/here.ts'
import { type Answer, noLogs, type Probes } from '../../../src/rollout/probe.ts'
import type { Pod } from '../../../src/rollout/workload.ts'
import { suite } from '../../support/suite.ts'

const { test, after } = suite('rollout/user-gates')

const servers: Server[] = []
after(async () => {
  for (const it of servers) await new Promise(done => it.close(done))
})

const listening = async (server: Server): Promise<number> => {
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as { port: number }).port
}

/** A port that nobody listens on. */
const closedPort = async () => {
  const server = createTcp()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  await new Promise(done => server.close(done))
  return port
}

const subject: Subject = {
  tenant: 'a',
  namespace: 'a-demo',
  workload: { kind: 'Deployment', name: 'web' },
  proxy: { address: '172.16.28.8', port: 3128 },
  proxies: [{ address: '172.16.28.8', port: 3128, publicIp: '203.0.113.7' }],
  echo: [],
  forbidden: 'http://no.invalid/',
  allowed: [],
  inside: [],
}

const pods = ['p1', 'p2'].map(
  (name): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c' }] } }),
)

const here = (env: NodeJS.ProcessEnv = {}) =>
  createHere({
    root: dirname(fileURLToPath(import.meta.url)),
    kubeconfig: '/the/kubeconfig',
    env: { PATH: process.env.PATH, ...env },
  })

const probes = ({
  env = {},
  curl,
  log,
}: {
  env?: NodeJS.ProcessEnv
  curl?: Answer
  log?: (pod: string) => string
} = {}) =>
  ({
    ...noLogs,
    here: here(env),
    pods: async () => pods,
    curl: async () => curl ?? { unheard: 'no curl' },
    log: async (pod: Pod) => log?.(pod.metadata.name) ?? '',
  }) as unknown as Probes

const ask = (words: UserGate, of = probes()): Promise<Verdict> => userGate(words).ask(subject, of, new Map())

const said = (stdout: string, code = 0): Answer => ({ code, stdout, stderr: '' })

for (const { when, answer, verdict } of [
  { when: 'the right status', answer: said('\nseen 200 200'), verdict: 'pass' },
  { when: 'another status', answer: said('\nseen 503 200'), verdict: 'fail' },
  {
    when: 'a refusal of the proxy',
    answer: said('X-Squid-Error: ERR_ACCESS_DENIED 0\n\nseen 403 000'),
    verdict: 'fail',
  },
  { when: 'a tunnel refused', answer: said('\nseen 000 403', 56), verdict: 'fail' },
  { when: 'nobody listens', answer: said('\nseen 000 000', 7), verdict: 'fail' },
  { when: 'a time-out', answer: said('\nseen 000 000', 28), verdict: 'fail' },
  { when: 'a wrong certificate', answer: said('\nseen 000 000', 60), verdict: 'fail' },
  { when: 'no such name', answer: said('\nseen 000 000', 6), verdict: 'inconclusive' },
  { when: 'no curl', answer: { unheard: 'no curl' }, verdict: 'inconclusive' },
]) {
  test(`http from a pod, ${when}: ${verdict}`, async () => {
    assert.is(judgeStatus('x', [200], answerIn(answer)).verdict, verdict)
    assert.is((await ask({ name: 'g', http: 'http://x/' }, probes({ curl: answer }))).verdict, verdict)
  })
}

test('http from here: its status, nobody there, and a name that does not resolve', async () => {
  const port = await listening(createServer((request, response) => response.writeHead(request.url === '/ok' ? 204 : 302, { location: '/ok' }).end())) // biome-ignore format: one line
  const asked = (url: string, status = [204]) => ask({ name: 'g', http: url, from: 'here', status })
  assert.is((await asked(`http://127.0.0.1:${port}/ok`)).verdict, 'pass')
  assert.match(JSON.stringify(await asked(`http://127.0.0.1:${port}/moved`)), /fail.*answered 302, not 204/)
  assert.is((await asked(`http://127.0.0.1:${port}/moved`, [204, 302])).verdict, 'pass')
  assert.is((await asked(`http://127.0.0.1:${await closedPort()}/`)).verdict, 'fail')
  assert.is((await asked('http://nowhere.invalid/')).verdict, 'inconclusive')
})

test('tcp from here', async () => {
  const port = await listening(createTcp(socket => socket.destroy()))
  const asked = (tcp: string) => ask({ name: 'g', tcp, from: 'here' })
  assert.is((await asked(`127.0.0.1:${port}`)).verdict, 'pass')
  assert.is((await asked(`127.0.0.1:${await closedPort()}`)).verdict, 'fail')
  assert.is((await asked('nowhere.invalid:5432')).verdict, 'inconclusive')
})

for (const { when, answer, verdict } of [
  { when: 'connected', answer: said('\nseen 0.001', 0), verdict: 'pass' },
  { when: 'connected, and nothing said', answer: said('\nseen 0.001', 28), verdict: 'pass' },
  { when: 'connected, and hung up on', answer: said('\nseen 0.001', 56), verdict: 'pass' },
  { when: 'refused', answer: said('\nseen 0.000', 7), verdict: 'fail' },
  { when: 'dropped', answer: said('\nseen 0.000000', 28), verdict: 'fail' },
  { when: 'no such name', answer: said('\nseen 0.000000', 6), verdict: 'inconclusive' },
  { when: 'no telnet in this curl', answer: said('\nseen 0.000000', 1), verdict: 'inconclusive' },
]) {
  test(`tcp from a pod, ${when}: ${verdict}`, () => assert.is(judgeConnection('x', answer).verdict, verdict))
}

test('tcp as curl says it', async () => {
  const port = await listening(createTcp(socket => socket.end('hello')))
  const run = async (to: number): Promise<Answer> => {
    const args = ['-q', '-s', '-S', '--noproxy', '*', '--max-time', '4', '-w', '\\nseen %{time_connect}']
    const { code, output } = await here().run(['curl', ...args, `telnet://127.0.0.1:${to}`], {
      ...{ variables: {}, passed: [], timeoutMs: 8000 },
    })
    return { code, stdout: output, stderr: '' }
  }
  assert.is(judgeConnection('x', await run(port)).verdict, 'pass')
  assert.is(judgeConnection('x', await run(await closedPort())).verdict, 'fail')
})

for (const { values, pass, fail, verdict } of [
  { values: [0.01], pass: 'result < 0.05', verdict: 'pass' },
  { values: [0.05], pass: 'result < 0.05', verdict: 'fail' },
  { values: [0.01, 0.2], pass: 'result < 0.05', verdict: 'fail' },
  { values: [3], fail: 'result >= 10', verdict: 'pass' },
  { values: [3, 10], fail: 'result >= 10', verdict: 'fail' },
  { values: [0.7], pass: 'result > 0.9', fail: 'result < 0.5', verdict: 'inconclusive' },
  { values: [0.95], pass: 'result > 0.9', fail: 'result < 0.5', verdict: 'pass' },
  { values: [0.95, 0.4], pass: 'result > 0.9', fail: 'result < 0.5', verdict: 'fail' },
  { values: [0.95, 0.7], pass: 'result > 0.9', fail: 'result < 0.5', verdict: 'inconclusive' },
  { values: [], pass: 'result > 0.9', verdict: 'inconclusive' },
  { values: [], fail: 'result > 0.9', verdict: 'inconclusive' },
  { values: [Number.NaN], fail: 'result > 0.9', verdict: 'inconclusive' },
  { values: [Number.POSITIVE_INFINITY], fail: 'result > 0.9', verdict: 'fail' },
]) {
  test(`query, ${values.join(' ') || 'no result'}; pass ${pass ?? '-'}, fail ${fail ?? '-'}: ${verdict}`, () => {
    assert.is(judgeValues(values, { pass, fail }).verdict, verdict)
  })
}

for (const text of ['result', 'result < ', 'result < x', 'result < 1; 2', 'x < 1', 'result =< 1', 'result < 1 < 2'])
  test(`no condition: ${text}`, () => assert.is(conditionOf(text), null))

test('a query goes to Prometheus with its names filled in, and its token by reference', async () => {
  const seen: { url: string; token: string | undefined }[] = []
  const answers = [
    { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [1, '0.01'] }] } },
    { status: 'success', data: { resultType: 'scalar', result: [1, '7'] } },
    { status: 'success', data: { resultType: 'matrix', result: [] } },
    { status: 'error', error: 'parse error' },
  ]
  const port = await listening(
    createServer(({ url = '', headers }, response) => {
      seen.push({ url, token: headers.authorization })
      response.end(JSON.stringify(answers.shift()))
    }),
  )
  const token = { env: 'GATE_TEST_TOKEN' }
  process.env.GATE_TEST_TOKEN = 't0ken'
  const query = 'errors{ns="{{namespace}}",app="{{ workload }}"}'
  const words = { server: `http://127.0.0.1:${port}/`, query, pass: 'result < 0.05', token }
  const asked = () => ask({ name: 'g', prometheus: words })
  try {
    assert.is((await asked()).verdict, 'pass')
    assert.equal(new URL(seen[0]!.url, 'http://x').searchParams.get('query'), 'errors{ns="a-demo",app="web"}')
    assert.is(seen[0]?.token, 'Bearer t0ken')
    assert.is((await asked()).verdict, 'fail')
    for (const says of [/a matrix, not a vector/, /parse error/]) {
      const error = await asked().catch(it => it)
      assert.instance(error, Problem)
      assert.match(error.why, says)
    }
  } finally {
    delete process.env.GATE_TEST_TOKEN
  }
  assert.match((await asked().catch(it => it)).message, /secret is missing: the variable GATE_TEST_TOKEN/)
  const gone = { ...words, token: undefined, server: `http://127.0.0.1:${await closedPort()}` }
  assert.instance(await ask({ name: 'g', prometheus: gone }).catch(it => it), Problem)
})

test('a token that no header can hold is told by its place alone', async () => {
  process.env.GATE_TEST_TOKEN = 'first-half\nsecond-half'
  try {
    const words = { server: 'http://127.0.0.1:9/', query: 'up', pass: 'result == 1', token: { env: 'GATE_TEST_TOKEN' } }
    const error = await ask({ name: 'g', prometheus: words }).catch(it => it)
    assert.instance(error, Problem)
    assert.match(error.message, /the variable GATE_TEST_TOKEN holds no token/)
    assert.not.match(`${error.message} ${error.why} ${error.next}`, /half/)
  } finally {
    delete process.env.GATE_TEST_TOKEN
  }
})

const sh = (script: string) => ['sh', '-c', script]
for (const { when, script, verdict, reason } of [
  { when: 'ends well', script: 'exit 0', verdict: 'pass' },
  {
    when: 'fails',
    script: 'echo some; echo three orders are stuck >&2; exit 3',
    verdict: 'fail',
    reason: /sh: exit code 3: three orders are stuck/,
  },
  { when: 'says try again later', script: 'exit 75', verdict: 'inconclusive' },
] as { when: string; script: string; verdict: string; reason?: RegExp }[]) {
  test(`a command that ${when}: ${verdict}`, async () => {
    const it = await ask({ name: 'g', command: sh(script) })
    assert.is(it.verdict, verdict)
    if (reason) assert.match(JSON.stringify(it), reason)
  })
}

test('a command gets what it needs by its environment, and no more', async () => {
  const env = { PGPASSWORD: 's3cret', SCW_SECRET_KEY: 'never' }
  const seen = async (names: string) => {
    const command = sh(`env | grep -E '^(${names})' | sort | tr '\\n' ' '; exit 1`)
    return JSON.stringify(await ask({ name: 'g', command, env: ['PGPASSWORD'] }, probes({ env })))
  }
  const egress = 'EGRESS_ADDRESSES=203.0.113.7 EGRESS_NAMESPACE=a-demo EGRESS_PODS=p1 p2 EGRESS_PROXY=172.16.28.8:3128 '
  assert.ok(
    (await seen('EGRESS')).includes(`${egress}EGRESS_TENANT=a EGRESS_WORKLOAD=web EGRESS_WORKLOAD_KIND=Deployment`),
  )
  assert.match(await seen('KUBECONFIG|PG|SCW'), /: KUBECONFIG=.the.kubeconfig PGPASSWORD=\*\*\* ?"/)
})

for (const { when, command, why } of [
  { when: 'is not there', command: ['/nonexistent/check', '--token=abc'], why: /ENOENT/ },
  { when: 'does not end, nor do its children', command: sh('sleep 60 & wait'), why: /did not end within 0.5 s/ },
]) {
  test(`a command that ${when} is an error`, async () => {
    const error = await ask({ name: 'g', command, timeout: '500ms' }).catch(it => it)
    assert.instance(error, Problem)
    assert.match(error.why, why)
    assert.not.match(`${error.message} ${error.why}`, /abc/)
  })
}

for (const { text, contains, absent, verdict } of [
  { text: 'ready to serve', contains: 'ready', verdict: 'pass' },
  { text: 'starting', contains: 'ready', verdict: 'inconclusive' },
  { text: 'starting', absent: 'panic', verdict: 'pass' },
  { text: 'panic: nil', absent: 'panic', verdict: 'fail' },
  { text: 'ready, panic: nil', contains: 'ready', absent: 'panic', verdict: 'fail' },
  { text: '', contains: 'ready', absent: 'panic', verdict: 'inconclusive' },
]) {
  test(`log ${JSON.stringify(text)}, with ${contains ?? '-'}, without ${absent ?? '-'}: ${verdict}`, () => {
    assert.is(judgeLog('p/c', text, { contains, absent }).verdict, verdict)
  })
}

test('the log of every pod counts', async () => {
  const log = (pod: string) => (pod === 'p2' ? 'panic' : 'fine')
  assert.match(
    JSON.stringify(await ask({ name: 'g', log: { absent: 'panic' } }, probes({ log }))),
    /fail.*p2.c has logged/,
  )
})
