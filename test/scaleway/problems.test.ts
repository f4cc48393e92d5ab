import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { applyPlan } from '../../src/engine/apply.ts'
import { openJournal } from '../../src/engine/journal.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { Problem } from '../../src/engine/problem.ts'
import type { World } from '../../src/engine/world.ts'
import { problemText } from '../../src/report/problem.ts'
import { createScaleway, type ScalewayOptions } from '../../src/scaleway/client.ts'
import { createPace } from '../../src/scaleway/pace.ts'
import { isPassing, isTransient, statusOf } from '../../src/scaleway/problems.ts'
import { createRefusals } from '../../src/scaleway/refusals.ts'
import { permissionSetOf, routeOf } from '../../src/scaleway/route.ts'
import { vpc } from '../../src/scaleway/vpc.ts'
import { suite } from '../support/suite.ts'
import { type Answer, ok, serving } from './serving.ts'

const { test } = suite('scaleway/problems')

const secretKey = '11111111-2222-4333-8444-555555555555'
const requestId = '0217029e-4222-4231-a240-dad5ef13e5a8'
const clientsAt = (apiUrl: string, more: Partial<ScalewayOptions> = {}) =>
  createScaleway(
    {
      accessKey: 'SCWAAAAAAAAAAAAAAAAA',
      secretKey,
      apiUrl,
      projectId: '99999999-2222-4333-8444-555555555555',
      region: 'fr-par',
      zone: 'fr-par-1',
    },
    {
      context: 'test',
      http: {
        baseMs: 1,
        capMs: 5,
        attempts: 2,
        pace: createPace({ perSecond: 1000, atOnce: 64 }),
        refusals: createRefusals({ lookingMs: 20, changingMs: 20 }),
      },
      ...more,
    },
  )

const gone = (resource: string) => ({
  type: 'not_found',
  message: 'resource is not found',
  resource,
  resource_id: 'x1',
})
const argument = (argument_name: string, reason: string, help_message: string) => ({
  type: 'invalid_arguments',
  message: 'invalid argument(s)',
  details: [{ argument_name, reason, help_message }],
})

// One row for each kind of error answer the API was seen to give; the shapes are those of the recordings.
for (const { when, status, body, headers, says } of [
  {
    when: 'a missing argument',
    status: 400,
    body: argument('commercial_type', 'required', 'required key not provided'),
    says: [/argument is not accepted/, /commercial_type: required required key not provided/, /inventory/],
  },
  {
    when: 'a badly written argument',
    status: 400,
    body: argument('name', 'format', 'too long'),
    says: [/argument/, /name: format too long/, /inventory/],
  },
  {
    when: 'an argument that cannot be',
    status: 400,
    body: argument('placement_group', 'constraint', 'not a valid value'),
    says: [/argument/, /placement_group: constraint not a valid value/, /inventory/],
  },
  {
    when: 'an argument refused for a reason of its own',
    status: 400,
    body: argument('reverse', 'unknown', 'must_resolve'),
    says: [/argument/, /reverse: unknown must_resolve/, /inventory/],
  },
  {
    when: 'the older way to name an argument',
    status: 400,
    body: { type: 'invalid_request_error', message: 'Validation Error', fields: { name: ['too long'] } },
    says: [/argument/, /name: too long/, /inventory/],
  },
  ...['not_found', 'invalid_argument', 'expired'].map(reason => ({
    when: `a key that is ${reason}`,
    status: 401,
    body: { type: 'denied_authentication', method: 'api_key', reason, message: 'authentication is denied' },
    says: [/key is not accepted/, new RegExp(reason), /SCW_SECRET_KEY.*console\.scaleway\.com\/iam\/api-keys/],
  })),
  {
    when: 'a permission that is missing',
    status: 403,
    body: {
      type: 'permissions_denied',
      message: 'insufficient permissions',
      details: [{ action: 'write', resource: 'vpc' }],
    },
    says: [/may not/, /write vpc/, /VPCFullAccess .*console\.scaleway\.com\/iam\/policies; .*two minutes/],
  },
  {
    when: 'a quota',
    status: 403,
    body: { type: 'quotas_exceeded', details: [{ resource: 'instances_ips_count', quota: 5, current: 5 }] },
    says: [
      /a quota is used up: instances_ips_count/,
      /instances_ips_count: 5 of 5 are in use, and one more is needed/,
      /console\.scaleway\.com\/organization\/quotas/,
    ],
  },
  {
    when: 'a quota in the older words of the instance API',
    status: 403,
    body: {
      type: 'invalid_request_error',
      message: 'Quota exceeded for this resource.',
      resource: 'cp_servers_type_DEV1_M',
    },
    says: [/a quota is used up: cp_servers_type_DEV1_M/, /403 .*cp_servers_type_DEV1_M/, /organization\/quotas/],
  },
  {
    when: 'a project that the instance API does not know',
    status: 403,
    body: { message: 'unknown project' },
    says: [/may not/, /403 unknown project/, /project/],
  },
  ...['vpc', 'private_network', 'gateway', 'cluster', 'pool', 'volume', 'instance_server', 'project_id'].map(it => ({
    when: `a ${it} that is not there`,
    status: 404,
    body: gone(it),
    says: [new RegExp(`${it} x1 is not there in fr-par`), /404 not_found/, /project, region and zone/],
  })),
  {
    when: 'a thing that is not there, said without any words',
    status: 404,
    body: '',
    says: [/it is not there/, /404/, /project, region and zone/],
  },
  {
    when: 'a thing that is busy',
    status: 409,
    body: {
      type: 'transient_state',
      message: 'resource is in a transient state',
      resource: 'gateway',
      resource_id: 'x1',
      current_state: 'configuring',
    },
    says: [/gateway x1 is configuring/, /transient_state/, /settled/],
  },
  {
    when: 'a name that is taken',
    status: 409,
    body: {
      type: 'already_exists',
      message: 'resource already exists',
      resource: 'cluster',
      resource_id: 'x1',
      help_message: 'pick another',
    },
    says: [/cluster x1 exists already/, /already_exists.*pick another/, /name ours differently/],
  },
  {
    when: 'a precondition',
    status: 412,
    body: {
      type: 'precondition_failed',
      message: 'precondition is not respected',
      precondition: 'resource_still_in_use',
      help_message: 'Private Network must be empty to be deleted',
    },
    says: [/resource_still_in_use stands in the way/, /must be empty/, /take away/],
  },
  {
    when: 'a precondition that comes as 400',
    status: 400,
    body: { type: 'precondition_failed', precondition: 'protected_resource', help_message: 'server is protected' },
    says: [/protected_resource stands in the way/, /server is protected/, /take away/],
  },
  {
    when: 'the rate limit, which says nothing at all',
    status: 429,
    body: '',
    headers: { 'x-envoy-ratelimited': 'true' },
    says: [/too many requests/, /after 2 tries/, /wait a minute/],
  },
  {
    when: 'a rate limit that asks for an hour',
    status: 429,
    body: '',
    headers: { 'retry-after': '3600' },
    says: [/too many requests/, /stayed shut/, /after (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC/],
  },
  {
    when: 'out of stock',
    status: 503,
    body: { type: 'out_of_stock', resource: 'PLAY2-PICO' },
    says: [/PLAY2-PICO is out of stock in fr-par/, /out_of_stock/, /another type or zone/],
  },
  {
    when: 'a 503 that is a refusal for good',
    status: 503,
    body: { message: 'cloud-init is not supported on this offer' },
    says: [/answered 503/, /cloud-init is not supported on this offer/, /console/],
  },
  {
    when: 'a gateway that answers in text',
    status: 502,
    body: 'upstream connect error',
    says: [/answered 502/, /upstream connect error/, /console/],
  },
] as {
  when: string
  status: number
  body: object | string
  headers?: Record<string, string>
  says: [RegExp, RegExp, RegExp]
}[])
  test(`makes a Problem of ${when}`, () => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer: Answer = { status, body: text, headers: { 'x-request-id': requestId, ...headers } }
    return serving([answer], async url => {
      const { vpc } = await clientsAt(url)
      const problem = await vpc.createVPC({ name: 'x', enableRouting: true }).catch(it => it)
      assert.instance(problem, Problem)
      assert.match(problem.message, says[0])
      assert.match(problem.why, says[1])
      assert.match(problem.next, says[2])
      assert.match(problem.why, `(request id ${requestId})`)
      assert.is(statusOf(problem), status)
      assert.is(isPassing(problem), status >= 500 ? !/out_of_stock/.test(text) : status === 429)
      assert.is(isTransient(problem), /transient_state/.test(text))
    })
  })

test('makes a Problem of an API that is not there', async () => {
  let url = ''
  await serving([ok], async it => {
    url = it // free again after this
  })
  const problem = await (await clientsAt(url)).vpc.listVPCs({}).catch(it => it)
  assert.instance(problem, Problem)
  assert.match(problem.message, /got no answer/)
  assert.is(problem.why, `${url}: ECONNREFUSED, after 2 tries`)
})

test('a bug is no Problem', async () => {
  const fetch = async () => {
    throw new TypeError('x is not a function')
  }
  const bug = await (await clientsAt('http://127.0.0.1:9', { http: { attempts: 1, fetch } })).vpc
    .listVPCs({})
    .catch(it => it)
  assert.not.instance(bug, Problem)
})

for (const [path, set] of [
  ['/vpc/v2/regions/fr-par/vpcs/x', 'VPCFullAccess'],
  ['/vpc/v2/regions/fr-par/private-networks', 'PrivateNetworksFullAccess'],
  ['/vpc-gw/v2/zones/fr-par-1/gateways', 'VPCGatewayFullAccess'],
  ['/ipam/v1/regions/fr-par/ips', 'IPAMFullAccess'],
  ['/instance/v1/zones/fr-par-1/servers/x/action', 'InstancesFullAccess'],
  ['/block/v1/zones/fr-par-1/volumes', 'BlockStorageFullAccess'],
  ['/k8s/v1/regions/fr-par/clusters', 'KubernetesFullAccess'],
  ['/iam/v1alpha1/ssh-keys', 'SSHKeysFullAccess'],
  ['/account/v3/projects/x', 'ProjectReadOnly'],
])
  test(`${path} asks for ${set}`, () => assert.is(permissionSetOf(routeOf(`https://api.test${path}`)), set))

const pem = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----'
const told = (it: unknown): string => inspect(it, { depth: 9, showHidden: true })

for (const { when, body, headers } of [
  { when: 'the key', body: JSON.stringify({ type: 'invalid_arguments', message: `bad x-auth-token ${secretKey}` }) },
  { when: 'the key, in text', body: `upstream got x-auth-token: ${secretKey}` },
  { when: 'the key, as a request id', body: '{}', headers: { 'x-request-id': secretKey } },
  { when: 'a private key of user data', body: JSON.stringify({ message: `cannot read ${pem}` }) },
  { when: 'half a private key', body: JSON.stringify({ message: pem.slice(0, 50) }) },
  { when: 'the token of a kubeconfig', body: JSON.stringify({ message: 'no such user very-secret-token' }) },
] as { when: string; body: string; headers?: Record<string, string> }[])
  for (const status of [400, 500])
    test(`an error ${status} that quotes ${when} is told without it, to its last cause`, () =>
      serving([{ status, body, ...(headers && { headers }) }], async url => {
        const hidden: string[] = []
        const scaleway = await clientsAt(url, { onSecret: (...them) => hidden.push(...them) })
        scaleway.hide('very-secret-token')
        assert.equal(hidden, ['very-secret-token'])
        const problem = await scaleway.vpc.createVPC({ name: 'x', enableRouting: true }).catch(it => it)
        assert.instance(problem, Problem)
        assert.not.match(told(problem), new RegExp(`${secretKey}|very-secret-token|b3BlbnNz`))
        assert.match(told(problem), /\*\*\*|private key|answered|argument/)
      }))

test('counts calls by service and method, and what was asked again', () =>
  serving([{ status: 503 }, { status: 200, body: '{"vpcs":[],"total_count":0}' }], async url => {
    const scaleway = await clientsAt(url)
    await scaleway.vpc.listVPCs({})
    await scaleway.vpc.listVPCs({})
    assert.equal(scaleway.tally(), { calls: 3, retries: 1, unanswered: 0, by: { 'vpc GET': 3 } })
    assert.is(scaleway.calls(), 3)
  }))

test('a key that an answer quotes reaches neither journal nor events nor output', () =>
  serving(
    [
      { status: 200, body: '{"vpcs":[],"total_count":0}' },
      { status: 200, body: '{"vpcs":[],"total_count":0}' },
      {
        status: 400,
        body: JSON.stringify({ message: `x-auth-token: ${secretKey}`, sent: { 'x-auth-token': secretKey } }),
      },
    ],
    async url => {
      const dir = mkdtempSync(join(tmpdir(), 'egress-redaction-'))
      const journal = openJournal(dir, 'run-1')
      try {
        const scaleway = await clientsAt(url)
        const events: unknown[] = []
        const { signal } = new AbortController()
        const world: World = {
          clientsFor: () => scaleway,
          journal,
          watch: it => events.push(it),
          stop: signal,
          abort: signal,
        }
        const outcome = await applyPlan(await makePlan([vpc('egress', { name: 'egress' })], world), 'gateway', world)
        const [failure] = outcome.failures
        assert.instance(failure?.error, Problem)
        const files = readdirSync(join(dir, 'runs')).map(it => readFileSync(join(dir, 'runs', it), 'utf8'))
        const everything = [...files, told(events), told(outcome.failures), problemText(failure?.error)].join('\n')
        assert.match(files.join(), /"failed"/)
        assert.match(everything, /x-auth-token: \*\*\*/)
        assert.not.match(everything, secretKey)
      } finally {
        journal.close()
        rmSync(dir, { recursive: true })
      }
    },
  ))
