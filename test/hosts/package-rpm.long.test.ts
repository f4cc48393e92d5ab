import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import type { PackageTask } from '../../src/hosts/tasks/package.ts'
import { fetchDebs, unpackDebs } from '../support/debs.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { problem, quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('packages by the real dnf and zypper')

const missing = ['dnf', 'zypper', 'rpmbuild', 'createrepo_c'].filter(it => !existsSync(`/usr/bin/${it}`))
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

/** ke-lib 1.0, 1.1 and 2.0, and ke-tool, which needs ke-lib; the host has no other manager than `keep`. */
const repository = `set -e
export HOME=/root
mkdir -p /srv/repo /etc/yum.repos.d /etc/zypp/repos.d /etc/dnf/vars /etc/rpm
# Where dnf and zypper look for it, which is not Debian's place for a user's.
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
cd /srv/repo
rpm_of() {
  cat >x.spec <<SPEC
Name: $1
Version: $2
Release: 1
Summary: a test
License: none
BuildArch: noarch
$3
%description
A test.
%install
mkdir -p %{buildroot}/usr/share/$1
echo $2 >%{buildroot}/usr/share/$1/version
%files
/usr/share/$1
SPEC
  rpmbuild -bb --quiet --define '_rpmdir /srv/repo' x.spec
}
# No host has none at all, and zypper cannot read that.
rpm_of base 1.0; rpm -i --nodeps noarch/base-1.0-1.noarch.rpm
rpm_of ke-lib 1.0; rpm_of ke-lib 1.1; rpm_of ke-lib 2.0; rpm_of ke-tool 1.0 'Requires: ke-lib'
createrepo_c -q .
printf '[ke]\\nname=ke\\nbaseurl=file:///srv/repo\\ngpgcheck=0\\nenabled=1\\nautorefresh=0\\n' | tee /etc/yum.repos.d/ke.repo >/etc/zypp/repos.d/ke.repo
echo 9 >/etc/dnf/vars/releasever
rm -f /usr/bin/apt-get`

if (missing.length) {
  console.log(`skipped, the real dnf and zypper: not installed here: ${missing.join(', ')}`)
  test('the reason is said', () => assert.ok(missing.length > 0))
} else {
  // Debian's versionlock plugin comes in a package that breaks zypper: only its files.
  const plugins = fetchDebs('dnf-plugins-core')
  before(async () => {
    host = await makeHost(10)
    if (typeof plugins !== 'string') {
      const its = ['dnf-plugins/versionlock.py', 'dnfpluginscore'].map(it => `usr/lib/python3/dist-packages/${it}`)
      const tar = execFileSync('tar', ['-czC', unpackDebs(plugins), 'etc/dnf/plugins', ...its])
      host.sh(`echo ${tar.toString('base64')} | base64 -d | tar -xzC /`)
    }
    host.sh(repository)
  })
  after(async () => {
    await ssh.close()
    await host?.down()
  })

  const pkg = (more: Partial<PackageTask> = {}): PackageTask => ({
    ...{ task: 'package', name: 'ke-lib', lockSeconds: 2 },
    ...more,
  })
  const snapshot = () => host.sh("rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' 'ke-*' | sort")
  const round = (tasks: Task[], during?: () => void) =>
    roundTrip({ ssh, host: host.address, snapshot }, { tasks }, during)
  const apply = async (...tasks: Task[]) => {
    const want = { host: host.address, tasks, handlers: {} }
    return hostPlay.apply(want, { ssh }, await hostPlay.read(want, { ssh }, quiet), quiet)
  }
  const refuses = async (...tasks: Task[]) => {
    const { message, why } = await problem(apply(...tasks))
    return `${message}\n${why}`
  }

  for (const manager of ['dnf', 'zypper'] as const) {
    const holds = manager === 'zypper' || typeof plugins !== 'string'

    test(`${manager}: installed, and removed again only when told`, async () => {
      if (manager === 'zypper') host.sh('rm -f /usr/bin/dnf')
      if (!holds) console.log(`skipped, holds of dnf: ${plugins}`)
      await round([pkg({ undo: 'remove' })], () => assert.is(snapshot(), 'ke-lib 2.0-1\n'))
      assert.is(snapshot(), '')
    })

    test(`${manager}: versions up and down, pinned and given back`, async () => {
      await apply(pkg({ version: '1.0-1' }))
      assert.is(snapshot(), 'ke-lib 1.0-1\n')
      await round([pkg({ version: '2.0-1' })], () => assert.is(snapshot(), 'ke-lib 2.0-1\n'))
      await apply(pkg({ version: '2.0-1' }))
      const plan = await round([pkg({ version: '1.1*' })], () => assert.is(snapshot(), 'ke-lib 1.1-1\n'))
      assert.is(plan[0]?.diff, 'version: 2.0-1 -> 1.1*')
    })

    test(`${manager}: a package goes and comes back, but not one that another needs`, async () => {
      await round([pkg({ present: false })], () => assert.is(snapshot(), ''))
      await apply(pkg({ name: 'ke-tool' }))
      assert.match(await refuses(pkg({ present: false })), /ke-lib is needed by .*ke-tool/)
      await apply(pkg({ name: 'ke-tool', present: false }))
    })

    if (holds)
      test(`${manager}: held and let go`, async () => {
        await round([pkg({ hold: true })])
        await apply(pkg({ version: '1.0-1', hold: true }))
        assert.is(snapshot(), 'ke-lib 1.0-1\n')
        host.sh(`${manager} ${manager === 'dnf' ? '-y -q upgrade' : '-q --non-interactive update'}`)
        assert.is(snapshot(), 'ke-lib 1.0-1\n', 'an upgrade by others leaves it')
        // Moved by the one who asks for another version, and held again.
        await round([pkg({ version: '1.1-1' })], () => assert.is(snapshot(), 'ke-lib 1.1-1\n'))
        await round([pkg({ hold: false })])
        await apply(pkg({ hold: false }))
      })

    test(`${manager}: what nobody has is a problem in its words`, async () => {
      assert.match(await refuses(pkg({ version: '7.0-1' })), manager === 'dnf' ? /7\.0-1/ : /No provider|not found/)
      assert.match(await refuses(pkg({ name: 'ke-none' })), /ke-none/)
      await apply(pkg({ present: false }))
    })
  }
}
