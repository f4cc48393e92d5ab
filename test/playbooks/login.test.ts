import { homedir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { site } from '../../playbooks/site.ts'
import type { HostPlay } from '../../src/hosts/play.ts'
import { loadContext } from '../../src/inventory/load.ts'
import { changed, cleanUp } from '../inventory/edited.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('playbooks/login')
after(cleanUp)

const hostOf = async (ssh: string) => {
  const root = changed({ 'context.yaml': [['  user: root\n', `  user: root\n${ssh}`]] })
  const context = await loadContext('sandbox', { root, env: {} })
  const { stages } = site(context, { operatorKey: 'ssh-ed25519 A', kubeconfig: '/k' })
  return { root, host: (stages.configure[0]!.want as unknown as HostPlay).host }
}

test('what the inventory says of logging in reaches the host, with whole paths', async () => {
  const { root, host } = await hostOf(
    '  passphrase: { file: ~/pass }\n  agent: ~/agent\n  knownHosts: [known, /etc/known]\n  config: ~/.ssh/config\n  compress: true\n',
  )
  const { passphrase, agent, knownHosts, config, compress, jump } = host
  assert.equal(
    { passphrase, agent, knownHosts, config, compress, jump },
    {
      passphrase: { file: join(homedir(), 'pass') },
      agent: join(homedir(), 'agent'),
      knownHosts: [join(root, 'known'), '/etc/known'],
      config: join(homedir(), '.ssh/config'),
      compress: true,
      jump: undefined,
    },
  )
})

test('a bastion without host keys is fine where a known_hosts file can name it', async () => {
  const { root, host } = await hostOf(
    '  via: bastion\n  agent: none\n  knownHosts: [known]\n  passphrase: { env: PASS }\n',
  )
  const { hostKey, knownHosts, agent, passphrase, user, port } = host.jump!
  assert.equal(
    { hostKey, knownHosts, agent, passphrase, user, port },
    {
      hostKey: [],
      knownHosts: [join(root, 'known')],
      agent: 'none',
      passphrase: { env: 'PASS' },
      user: 'bastion',
      port: 61000,
    },
  )
})
