import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { type ProfileOptions, readProfile } from '../../src/scaleway/profile.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('scaleway/profile')

let dir = ''
const secret = (first: string) => `${first.repeat(8)}-2222-4333-8444-555555555555`
const file = `
access_key: SCWFILEAAAAAAAAAAAAA
secret_key: ${secret('1')}
default_project_id: ${secret('2')}
default_region: nl-ams
default_zone: nl-ams-1
profiles:
  other:
    access_key: SCWOTHERAAAAAAAAAAAA
    api_url: http://localhost:8080/
`
const env = {
  SCW_ACCESS_KEY: 'SCWENVAAAAAAAAAAAAAA',
  SCW_SECRET_KEY: secret('3'),
  SCW_DEFAULT_PROJECT_ID: secret('4'),
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'egress-profile-'))
  await writeFile(join(dir, 'config.yaml'), file)
  await writeFile(join(dir, 'active.yaml'), `active_profile: other\n${file}`)
  await writeFile(join(dir, 'broken.yaml'), `secret_key: "${secret('1')}\n\t: {`)
})
after(() => rm(dir, { recursive: true, force: true }))

const at = (name: string) => join(dir, name)
const read = (options: ProfileOptions) => readProfile({ env: {}, ...options })

test('an explicit file wins over the environment', async () => {
  const profile = await read({ config: at('config.yaml'), env: { ...env, SCW_PROFILE: 'other' } })
  assert.is(profile.accessKey, 'SCWFILEAAAAAAAAAAAAA')
  assert.is(profile.projectId, secret('2'))
  assert.is(profile.apiUrl, undefined)
})

test('without one the environment wins over the file that Scaleway tools use', async () => {
  const profile = await read({ env: { ...env, SCW_CONFIG_PATH: at('config.yaml') } })
  assert.is(profile.accessKey, 'SCWENVAAAAAAAAAAAAAA')
  assert.is(profile.zone, 'nl-ams-1')
})

for (const [how, options] of [
  ['by option', { config: () => at('config.yaml'), profile: 'other' }],
  ['by SCW_PROFILE', { env: () => ({ SCW_CONFIG_PATH: at('config.yaml'), SCW_PROFILE: 'other' }) }],
  ['as the active one', { config: () => at('active.yaml') }],
] as [string, { config?: () => string; env?: () => Record<string, string>; profile?: string }][])
  test(`a profile named ${how} is laid over the top level`, async () => {
    const { config, env, profile } = options
    const found = await read({ config: config?.(), profile, ...(env && { env: env() }) })
    assert.is(found.accessKey, 'SCWOTHERAAAAAAAAAAAA')
    assert.is(found.secretKey, secret('1'))
    assert.is(found.apiUrl, 'http://localhost:8080')
  })

test('region, zone and project of the context win over both', async () => {
  const given = { region: 'fr-par', zone: 'fr-par-2', projectId: secret('7') }
  const { region, zone, projectId } = await read({ config: at('config.yaml'), ...given })
  assert.equal({ region, zone, projectId }, given)
})

for (const { when, options, says } of [
  {
    when: 'nothing at all',
    options: () => ({}),
    says: [/SCW_ACCESS_KEY is missing.*SCW_SECRET_KEY is missing.*SCW_DEFAULT_ZONE is missing/, /scw init/],
  },
  {
    when: 'a malformed secret',
    options: () => ({ env: { ...env, SCW_SECRET_KEY: 'hunter2' }, region: 'fr-par', zone: 'fr-par-1' }),
    says: [/SCW_SECRET_KEY should be a UUID/, /./],
  },
  {
    when: 'a zone of another region',
    options: () => ({ env, region: 'fr-par', zone: 'nl-ams-1' }),
    says: [/nl-ams-1 is not in region fr-par/, /./],
  },
  {
    when: 'a file that is not there',
    options: () => ({ config: at('none.yaml') }),
    says: [/no such file/, /scw init/],
  },
  {
    when: 'a file that is not YAML',
    options: () => ({ config: at('broken.yaml') }),
    says: [/line|quote|flow/i, /correct the file/],
  },
  {
    when: 'a profile that is not there',
    options: () => ({ config: at('config.yaml'), profile: 'nope' }),
    says: [/has other/, /SCW_PROFILE/],
  },
] as { when: string; options: () => ProfileOptions; says: [RegExp, RegExp] }[])
  test(`refuses ${when}, without its secret`, async () => {
    const problem = await read(options()).catch(it => it)
    assert.instance(problem, Problem)
    assert.is(problem.exit, 2)
    assert.match(problem.why, says[0])
    assert.match(problem.next, says[1])
    assert.not.match(`${problem.message}${problem.why}${problem.next}`, /hunter2|11111111-2222/)
  })
