import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import type { FirewalldTask } from '../../src/hosts/tasks/firewalld.ts'
import { enough, type GuardedHost, guardedHost, seconds } from '../support/guarded-host.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

/**
 * Needs firewalld on this machine, or its unpacked-to-be packages: `apt-get download firewalld python3-firewall
 * python3-dbus python3-gi python3-nftables gir1.2-glib-2.0 python3-cap-ng`, then FIREWALLD_DEBS=that directory.
 */
const debs = process.env.FIREWALLD_DEBS
const here = existsSync('/usr/sbin/firewalld') || debs !== undefined

const { test, before, after } = suite('firewalld on a real host')
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 8 })
let host: GuardedHost

const firewall = (from: string, more: FirewalldTask['rules'] = []): Task => ({
  task: 'firewalld',
  rules: [{ from, port: 22, proto: 'tcp', comment: 'ssh', action: 'allow' }, ...more],
  defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
  logging: 'low',
  enabled: true,
  confirmSeconds: from === us ? enough : seconds,
})
const us = '192.0.2.128/25'

if (!here) {
  console.log('left out: firewalld is not installed here, and FIREWALLD_DEBS is not set')
  test('without firewalld on the host, all is to do and nothing is broken', async () => {
    host = await guardedHost(15, ssh)
    const change = await host.differs([firewall(us)])
    assert.match(change?.details?.[0]?.diff ?? '', /running: no -> yes/)
    assert.match((await host.refuses([firewall(us)])).message, /firewalld\) failed; the host is as it was before/)
    assert.ok(await host.letsIn())
  })
} else {
  before(async () => {
    host = await guardedHost(15, ssh)
    host.sh(`ufw --force disable
for it in ${debs ?? '/nowhere'}/*.deb; do
  [ ! -e "$it" ] || dpkg-deb --fsys-tarfile "$it" | tar -x --keep-directory-symlink -C /
done
p=/usr/share/polkit-1/actions/org.fedoraproject.FirewallD1
[ -e $p.policy ] || ln -s $p.server.policy.choice $p.policy
mkdir -p /run/dbus && dbus-daemon --system --fork`)
  })

  test('a first run starts it with our rules, and a second finds nothing to do', async () => {
    await host.apply([firewall(us)])
    assert.is(await host.differs([firewall(us)]), null)
    assert.match(host.sh('nft list ruleset'), /192\.0\.2\.128\/25 tcp dport 22 accept/)
    assert.ok(await host.letsIn())
  })

  test('drift is seen in the file and in force; rules of others stay', async () => {
    host.sh('firewall-cmd --permanent --zone=public --add-port=8081/tcp; firewall-cmd --reload')
    assert.is(await host.differs([firewall(us)]), null)
    host.sh(`firewall-cmd --policy=kapsule-egress --add-rich-rule='rule port port="9" protocol="tcp" accept'`)
    assert.match((await host.differs([firewall(us)]))?.details?.[0]?.diff ?? '', /^- rule port port="9"/)
    await host.apply([firewall(us)])
    assert.is(await host.differs([firewall(us)]), null)
    assert.match(host.sh('firewall-cmd --list-ports'), /8081/)
  })

  test('one that locks us out is taken back in time, to the letter', async () => {
    // Others let everybody in by SSH: with their rule nobody would be locked out.
    host.sh('firewall-cmd --permanent --zone=public --remove-service=ssh; firewall-cmd --reload')
    const picture = () =>
      host.sh('cd /etc/firewalld; cat firewalld.conf policies/* zones/*; nft list ruleset; firewall-cmd --list-all')
    const was = picture()
    const run = host.refuses([firewall('198.51.100.0/24')])
    assert.ok(await until(async () => host.ready() && !(await host.letsIn()), 60), 'it really locks us out')
    assert.ok(await until(host.letsIn, 60), 'and lets us in again')
    assert.match((await run).why, /no new login/)
    assert.is(picture(), was)
  })
}

after(async () => {
  await ssh.close()
  await host?.down()
})
