import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { alike } from '../../src/cli/alike.ts'
import { deploy } from '../../src/cli/commands/deploy.ts'
import { parse } from '../../src/cli/flags.ts'
import { createOutput } from '../../src/cli/output.ts'
import { withSession } from '../../src/cli/session.ts'
import { Problem, Problems } from '../../src/engine/problem.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { credentials, type Emulated, emulated } from '../scaleway/emulated.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('cli: preflight')

let cloud: Emulated
before(async () => {
  cloud = await emulated()
})
after(async () => {
  await cloud?.close()
  cleanUp()
})

type Edits = Parameters<typeof changed>[0]

/** The sandbox context with these edits, at the emulated API of this test instead of its own. */
const rootWith = (edits: Edits, key: Record<string, string> = {}) => {
  const { 'context.yaml': own = [], ...rest } = edits
  const root = changed({
    'context.yaml': [
      [/prepare:\n.*\n/, ''],
      ['.egress/.sandbox/scw.yaml', 'scw.yaml'],
      ['.egress/.sandbox/id_ed25519', 'id_ed25519'],
      ...own,
    ],
    ...rest,
  })
  const profile = {
    access_key: credentials.accessKey,
    secret_key: credentials.secretKey,
    api_url: cloud.url,
    default_project_id: credentials.projectId,
    ...key,
  }
  writeFileSync(
    join(root, 'scw.yaml'),
    Object.entries(profile)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  )
  writeFileSync(join(root, 'id_ed25519.pub'), `ssh-ed25519 ${'A'.repeat(68)} me@here\n`)
  return root
}

/** Runs deploy, or deploy --check, and gives what it told. */
const run = async (root: string, ...argv: string[]): Promise<Problem[]> => stagesOf(root, all, argv)
const all = ['gateway', 'proxy', 'cluster'] as const

const stagesOf = async (root: string, stages: readonly (typeof all)[number][], argv: string[]): Promise<Problem[]> => {
  const quiet = { write: () => true }
  const { flags } = parse('deploy', ['--context', 'sandbox', ...argv])
  const never = new AbortController().signal
  const output = createOutput({ json: false, env: {} }, { stdout: quiet, stderr: quiet } as never)
  const options = { command: 'deploy', flags, root, output, interrupt: { stop: never, abort: never } }
  try {
    await withSession({ ...options, writes: !flags.check }, session => deploy(session, stages))
    return []
  } catch (error) {
    if (error instanceof Problems) return [...error.all]
    if (error instanceof Problem) return [error]
    throw error
  }
}

const writes = async () => {
  const trace = (await (await fetch(`${cloud.url}/emulator/trace`)).json()) as { method: string }[]
  return trace.filter(it => it.method !== 'GET')
}

const broken: Edits = {
  'context.yaml': [
    ['type: VPC-GW-S', 'type: VPC-GW-XS'],
    ['version: "1.34"', 'version: "1.12"'],
    ['pools: [{ name: system, type: DEV1-M', 'pools: [{ name: system, type: DEV1-MM'],
  ],
  'tenants/client-a.yaml': [
    ['image: ubuntu_noble', 'image: ubuntu_nobel'],
    ['type: PLAY2-PICO', 'type: PLAY9-PICO'],
  ],
  'tenants/client-b.yaml': [[/pool: \{ name: ([a-z-]+), type: DEV1-M/, 'pool: { name: $1, type: GP1-XSS']],
}

for (const argv of [[], ['--check']]) {
  test(`what only the API knows is told at once, with its line, before a write: deploy ${argv.join(' ')}`, async () => {
    const root = rootWith(broken)
    const found = await run(root, ...argv)
    assert.is(found.length, 6, found.map(it => it.message).join('\n'))
    const files = found.map(it => it.message.split(':')[0])
    assert.equal(files, [...files].sort())
    for (const it of found) {
      assert.is(it.exit, 2)
      assert.match(it.message, /^inventory\/sandbox\/(context|tenants\/client-[ab])\.yaml:\d+:\d+: /)
      assert.match(it.next, /^take one of \S/)
      assert.ok(it.why)
      // The column is that of the value itself.
      const [, file = '', line = '', column = ''] = /^(\S+?):(\d+):(\d+): /.exec(it.message) ?? []
      const value = readFileSync(join(root, file), 'utf8')
        .split('\n')
        [Number(line) - 1]!.slice(Number(column) - 1)
      assert.match(value, /^"?(VPC-GW-XS|1\.12|DEV1-MM|ubuntu_nobel|PLAY9-PICO|GP1-XSS)/)
    }
    assert.equal(await writes(), [])
    const runs = join(root, '.egress/sandbox/runs')
    const journal =
      argv.length > 0
        ? ''
        : readdirSync(runs)
            .map(it => readFileSync(join(runs, it), 'utf8'))
            .join('')
    assert.not.match(journal, /"event":"started"/)
  })
}

test('a field that is left to its default is told where it would stand', async () => {
  const [found] = await run(rootWith({}, { default_project_id: '00000000-2222-4333-8444-555555555555' }), '--check')
  assert.match(
    `${found?.message} ${found?.next}`,
    /context.yaml:\d+:\d+: there is no project 0{8}-.*scaleway.projectId/,
  )
})

for (const { when, key = {}, spoil, says, exit } of [
  {
    when: 'a wrong key',
    key: { secret_key: '22222222-2222-4333-8444-555555555555' },
    says: /key is not accepted/,
    exit: 1,
  },
  {
    when: 'no config file',
    spoil: (root: string) => rmSync(join(root, 'scw.yaml')),
    says: /context.yaml:4:\d+: .*scw.yaml cannot be read/,
    exit: 2,
  },
  {
    when: 'no key of the operator',
    spoil: (root: string) => rmSync(join(root, 'id_ed25519.pub')),
    says: /context.yaml:\d+:13: no public key/,
    exit: 2,
  },
  { when: 'half a config file', key: { secret_key: '' }, says: /credentials are not complete/, exit: 2 },
  { when: 'an API that is not there', key: { api_url: 'http://127.0.0.1:1' }, says: /no answer|not answer/, exit: 1 },
] as { when: string; key?: Record<string, string>; spoil?: (root: string) => void; says: RegExp; exit: number }[]) {
  test(`one Problem, and soon: ${when}`, async () => {
    const root = rootWith({}, key)
    spoil?.(root)
    const started = performance.now()
    const found = alike(await run(root, '--check'))
    assert.ok(performance.now() - started < 60_000)
    assert.is(found.length, 1, found.map(it => it.message).join('\n'))
    assert.match(found[0]!.message, says)
    assert.is(found[0]!.exit, exit)
    assert.ok(found[0]!.why && found[0]!.next)
    assert.not.match(`${found[0]!.message} ${found[0]!.why} ${found[0]!.next}`, /22222222-2222/)
  })
}

test('ten mistakes beside what stands already, among things of others: all at once, and nothing is touched', async () => {
  const root = rootWith({})
  assert.equal(await stagesOf(root, ['gateway'], []), [])
  const theirs = await cloud.clients('another')
  const [network] = (await theirs.vpc.listPrivateNetworks({ name: 'egress' }).all()).filter(it => it.name === 'egress')
  const privateNetworkId = network!.id
  await theirs.ipam.bookIP({ source: { privateNetworkId }, isIpv6: false, address: '172.16.28.20' })
  const shared = { name: 'shared', version: '1.34.1', cni: 'cilium', type: 'kapsule', description: '' } as const
  await theirs.k8s.createCluster({ ...shared, privateNetworkId, tags: [] })
  for (const [file, edits] of Object.entries({
    'context.yaml': [
      ['type: VPC-GW-S', 'type: VPC-GW-XS'],
      ['version: "1.34"', 'version: "1.12"'],
      ['name: system, type: DEV1-M', 'name: system, type: DEV9-M'],
    ],
    'tenants/client-a.yaml': [
      ['image: ubuntu_noble', 'image: ubuntu_nobel'],
      ['type: PLAY2-PICO', 'type: PLAY9-PICO'],
      ['172.16.28.8', '172.16.28.20'],
      ['type: DEV1-M', 'type: DEV8-M'],
    ],
    'tenants/client-b.yaml': [
      ['image: ubuntu_noble', 'image: ubuntu_nobel_arm'],
      ['type: DEV1-M', 'type: DEV7-M'],
    ],
  } as Record<string, [string, string][]>)) {
    const path = join(root, 'inventory/sandbox', file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      edits.reduce((now, [from, to]) => now.replace(from, to), text),
    )
  }
  await fetch(`${cloud.url}/emulator/trace`, { method: 'DELETE' })
  const found = await run(root)
  assert.is(found.length, 10, found.map(it => it.message).join('\n'))
  for (const it of found) {
    assert.is(it.exit, 2)
    assert.match(
      it.message,
      /^inventory\/sandbox\/(context|tenants\/client-[ab])\.yaml:\d+:\d+: (there is no|there is a cluster|the private address) /,
    )
    assert.ok(it.why && it.next)
  }
  const text = found.map(it => `${it.message} | ${it.next}`).join('\n')
  assert.match(text, /client-a.yaml:\d+:\d+: the private address 172.16.28.20 is taken/)
  assert.match(text, /context.yaml:\d+:\d+: there is a cluster shared already/)
  assert.equal(await writes(), [])
})

test('a version that stands already and would have to be changed is told with its line', async () => {
  await cloud.close()
  cloud = await emulated()
  const root = rootWith({})
  await run(root) // namespaces have no cluster to go to here, and what is at Scaleway stands
  const path = join(root, 'inventory/sandbox/context.yaml')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"1.34"', '"1.35"'))
  const found = (await run(root, '--check')).find(it => /runs/.test(it.message))
  assert.match(found!.message, /^inventory\/sandbox\/context.yaml:\d+:\d+: cluster shared runs 1\.34\.\d+/)
  assert.is(found!.at?.file, 'inventory/sandbox/context.yaml')
})

test('what is to be adopted and is not there is told with its line', async () => {
  const root = rootWith({
    'context.yaml': [['  vpc: egress\n', '  vpc: { existing: { name: nowhere } }\n']],
  })
  const found = (await run(root, '--check')).map(it => it.message)
  assert.is(found.length, 1, found.join('\n'))
  assert.match(found[0]!, /^inventory\/sandbox\/context.yaml:6:20: there is no VPC nowhere/)
})
