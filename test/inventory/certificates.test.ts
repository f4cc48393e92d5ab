import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import type { Desired } from '../../src/engine/desired.ts'
import { refsIn } from '../../src/engine/refs.ts'
import type { HostPlay } from '../../src/hosts/play.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { type Authority, makeAuthority } from '../support/authority.ts'
import { suite } from '../support/suite.ts'
import { changed, cleanUp, mistakes } from './edited.ts'

const { test, before, after } = suite('inventory/certificates')

let authority: Authority
const files: Record<string, string> = {}
before(() => {
  authority = makeAuthority()
  const leaf = authority.issue('/CN=client-a')
  files['ca.pem'] = authority.pem
  files['crl.pem'] = authority.revoke([leaf])
  files['leaf.pem'] = leaf.cert
  files['key.pem'] = `${authority.pem}${leaf.key}`
  files['odd.pem'] = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
})
after(() => {
  authority.remove()
  cleanUp()
})

/** The repository's inventory with these words for client-a, or more, and the files at its root. */
const inventory = (words: string, more: Parameters<typeof changed>[0] = {}) => {
  const said: [string, string] = ['egress:\n', `egress:\n  clientCertificates: { ${words} }\n`]
  const copy = changed({ ...more, 'tenants/client-a.yaml': [said, ...(more['tenants/client-a.yaml'] ?? [])] })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(copy, name), text)
  return copy
}

test('files are read, and a tenant that names nobody means itself', async () => {
  const root = inventory('ca: ca.pem, crl: crl.pem, secret: egress-client')
  const { tenants } = await loadContext('sandbox', { root, env: {} })
  assert.equal(tenants.find(it => it.tenant === 'client-a')?.egress.clientCertificates, {
    ...{ ca: files['ca.pem'], crl: files['crl.pem'] },
    ...{ names: ['client-a'], secret: 'egress-client' },
  })
  assert.is(tenants.find(it => it.tenant === 'client-b')?.egress.clientCertificates, undefined)
})

const wantOf = (all: Desired[], id: string) => all.find(it => it.id === id)!.want as Record<string, unknown>

test('the proxy takes TLS alone, and pods get what they need for it', async () => {
  const root = inventory('ca: ca.pem, secret: egress-client')
  const context = await loadContext('sandbox', { root, env: {} })
  const { stages } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  assert.equal(
    stages.configure.map(it => it.id).filter(it => it.startsWith('proxy-authority/')),
    ['proxy-authority/client-a'],
  )
  const play = wantOf(stages.configure, 'host-play/proxy-client-a') as unknown as HostPlay
  const conf = play.tasks.find(it => it.task === 'file' && it.path === '/etc/squid/squid.conf') as { content: string }
  assert.match(conf.content, /^https_port 3128 name=in_3128 /m)
  assert.not.match(conf.content, /^http_port 3128/m)
  const settings = wantOf(stages.rollout, 'kube-object/ConfigMap client-a-demo/egress-proxy')
  assert.ok(refsIn(settings as never).includes('proxy-authority/client-a'))
  assert.equal(wantOf(stages.rollout, 'client-secret/client-a-demo/egress-client').name, 'egress-client')
  const { env, files: mounted } = wantOf(stages.rollout, 'workload-egress/client-a-demo/curl-demo') as {
    env: { name: string; value: string }[]
    files: { mount: { mountPath: string } }
  }
  assert.equal(
    env.filter(it => /^https?_proxy$/.test(it.name)).map(it => it.value),
    ['https://172.16.28.8:3128', 'https://172.16.28.8:3128'],
  )
  assert.is(mounted.mount.mountPath, '/etc/egress-proxy')
  const b = wantOf(stages.rollout, 'workload-egress/client-b-demo/curl-demo')
  assert.not.ok('files' in b)
  assert.not.match(JSON.stringify(b), /https:|CURL_HOME/)
})

for (const { when, words, more, what, why } of [
  { when: 'no such file', words: 'ca: none.pem', what: /none.pem cannot be read/, why: /no such file/ },
  { when: 'a private key beside it', words: 'ca: key.pem', what: /holds a private key/, why: /only certificates/ },
  { when: 'no CA', words: 'ca: leaf.pem', what: /leaf.pem is no CA/, why: /CN=client-a is not a CA's/ },
  { when: 'no certificate', words: 'ca: crl.pem', what: /crl.pem is no CA/, why: /holds no certificate/ },
  { when: 'a broken one', words: 'ca: odd.pem', what: /odd.pem is no CA/, why: /cannot be read/ },
  { when: 'a list that is none', words: 'ca: ca.pem, crl: ca.pem', what: /no revocation list/, why: /X509 CRL/ },
  { when: 'an odd name', words: "ca: ca.pem, names: ['a b']", what: /names/, why: /a name is that of/ },
  { when: 'a flag for a name', words: 'ca: ca.pem, names: [-n]', what: /names/, why: /a name is that of/ },
  { when: 'a subject without a name', words: 'ca: ca.pem, names: [/O=bank]', what: /names/, why: /a name is that of/ },
  {
    when: 'the check of names in TLS as well',
    words: 'ca: ca.pem',
    more: { 'tenants/client-a.yaml': [['egress:\n', 'egress:\n  sni: verify\n'] as [string, string]] },
    what: /both said/,
    why: /one of them/,
  },
  {
    when: 'the name of another tenant, of the same CA',
    words: 'ca: ca.pem',
    more: {
      'tenants/client-b.yaml': [
        ['egress:\n', 'egress:\n  clientCertificates: { ca: ca.pem, names: [/CN=client-a], secret: s }\n'] as [
          string,
          string,
        ],
      ],
    },
    what: /the name \/CN=client-a is that of client-a/,
    why: /belongs to one tenant/,
  },
])
  test(`a mistake: ${when}`, async () => {
    const found = await mistakes(inventory(`${words}, secret: s`, more))
    assert.is(found.length, 1, found.map(it => it.message).join('\n'))
    assert.match(found[0]!.message, what)
    assert.match(found[0]!.why, why)
    assert.match(found[0]!.message, /tenants\/client-[ab]\.yaml:\d+:\d+/)
    assert.is(found[0]!.exit, 2)
  })
