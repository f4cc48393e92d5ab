import * as assert from 'uvu/assert'
import { hostPlay } from '../../../src/hosts/play.ts'
import { createSsh } from '../../../src/hosts/ssh.ts'
import type { Task } from '../../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../../support/host.ts'
import { quiet } from '../../support/plays.ts'
import { suite } from '../../support/suite.ts'

const { test, before, after } = suite("a firewall from ufw's own files")

const ssh = createSsh({ bootSeconds: 5 })
let host: TestHost

before(async () => {
  host = await makeHost(11)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

const paths = ['/etc/ufw/user.rules', '/etc/ufw/user6.rules', '/etc/ufw/ufw.conf']
const loaded = () => host.sh('iptables -S; ip6tables -S')

for (const level of ['low', 'medium'])
  test(`with its log at ${level}: in force as ufw would have it, from nothing in the kernel`, async () => {
    const untouched = paths.map(it => ({ path: it, content: host.sh(`cat ${it}`) }))
    const task = ({ path, content }: { path: string; content: string }): Task => {
      const mode = path.endsWith('.rules') ? '0640' : '0644'
      return { task: 'file', path, content, mode, owner: 'root', group: 'root' }
    }
    host.sh(`ufw allow proto tcp from 192.0.2.128/25 to any port 22; ufw logging ${level}; ufw --force enable`)
    const wanted = paths.map(path => task({ path, content: host.sh(`cat ${path}`) }))
    const byUfw = loaded()
    for (const { path, content } of untouched)
      host.sh(`base64 -d >${path} <<'E'\n${Buffer.from(content).toString('base64')}\nE`)
    await host.reboot()
    assert.not.match(loaded(), /ufw-user-input/)
    const want = { host: host.address, tasks: wanted, handlers: {} }
    const seen = await hostPlay.read(want, { ssh }, quiet)
    const now = await hostPlay.apply(want, { ssh }, seen, quiet)
    assert.is(loaded(), byUfw)
    assert.is(hostPlay.diff(want, now), null)
    host.sh('ufw reload')
    assert.is(loaded(), byUfw)
    await hostPlay.undo!(want, { ssh }, seen, now, quiet)
    assert.equal(
      paths.map(it => host.sh(`cat ${it}`)),
      untouched.map(it => it.content),
    )
    await host.reboot()
  })
