import * as assert from 'uvu/assert'
import { hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import type { PackageTask } from '../../src/hosts/tasks/package.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { roundTrip } from '../support/rounds.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('packages on a real host')

const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

/** A repository on the host's own disk: ke-lib 1.0, 1.1 and 2.0, and ke-tool, which needs ke-lib. */
const repository = `set -e
mkdir -p /srv/repo; cd /srv/repo
deb() {
  mkdir -p b/DEBIAN b/usr/share/$1; echo $2 >b/usr/share/$1/version
  printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: T <t@t.test>\\nDescription: a test\\n%s' $1 $2 "$3" >b/DEBIAN/control
  dpkg-deb -b b $1_$2.deb >/dev/null
  { cat b/DEBIAN/control; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $1_$2.deb $(stat -c %s $1_$2.deb) $(sha256sum <$1_$2.deb | cut -c1-64); } >>Packages
  rm -r b
}
deb ke-lib 1.0; deb ke-lib 1.1; deb ke-lib 2.0; deb ke-tool 1.0 'Depends: ke-lib
'
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list`

before(async () => {
  host = await makeHost(22)
  host.sh(repository)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

const pkg = (more: Partial<PackageTask>): PackageTask => ({ task: 'package', name: 'ke-lib', lockSeconds: 20, ...more })
const snapshot = () =>
  host.sh(
    "dpkg-query -W -f '${Package} ${db:Status-Want} ${db:Status-Status} ${Version}\\n' 'ke-*' 2>/dev/null | grep -v not-installed || :",
  )
const round = (tasks: Task[], during?: () => void) =>
  roundTrip({ ssh, host: host.address, snapshot }, { tasks }, during)
const apply = (...tasks: Task[]) => hostPlay.apply({ host: host.address, tasks, handlers: {} }, { ssh }, null, quiet)
const whyOf = (...tasks: Task[]): Promise<string> =>
  apply(...tasks).then(
    () => 'it did not fail',
    error => `${error.message}\n${error.why}`,
  )

test('the index is asked for once more when a package is not in it; undo removes only when told', async () => {
  await round([pkg({ undo: 'remove' })], () => assert.is(snapshot(), 'ke-lib install installed 2.0\n'))
  assert.is(snapshot(), '')
})

test('versions are pinned, held and given back', async () => {
  await apply(pkg({ version: '2.0' }))
  const plan = await round([pkg({ version: '1.*', hold: true })], () =>
    assert.is(snapshot(), 'ke-lib hold installed 1.1\n'),
  )
  assert.is(plan[0]?.diff, 'version: 2.0 -> 1.*\nheld: no -> yes')
  assert.is(snapshot(), 'ke-lib install installed 2.0\n')
  await apply(pkg({ version: '1.0', hold: true }))
  // A held package is moved by the one who asks for another version, and is held again.
  await round([pkg({ version: '1.1' })], () => assert.is(snapshot(), 'ke-lib hold installed 1.1\n'))
  await round([pkg({ hold: false })], () => assert.is(snapshot(), 'ke-lib install installed 1.0\n'))
})

test('a package goes and comes back, but not one that another needs', async () => {
  await round([pkg({ present: false })], () => assert.is(snapshot(), ''))
  await apply(pkg({ name: 'ke-tool' }))
  assert.match(await whyOf(pkg({ present: false })), /ke-tool depends on ke-lib/)
  assert.match(snapshot(), /ke-lib hold installed 1\.0\nke-tool install installed 1\.0/)
  await apply(pkg({ name: 'ke-tool', present: false }))
})

test('names are those of the distribution', async () => {
  const plan = await round(
    [pkg({ name: 'the-tool', names: { debian: 'ke-tool', rhel: 'x', zypper: 'y' }, undo: 'remove' })],
    () => assert.match(snapshot(), /ke-tool install installed/),
  )
  assert.equal(
    plan.map(it => it.name),
    ['package the-tool'],
  )
})

test("a version that nobody has is a problem that shows apt's words", async () => {
  assert.match(await whyOf(pkg({ version: '7*' })), /Version '7\*' for 'ke-lib' was not found/)
})

test("another's lock is waited for, and not for ever", async () => {
  const hold = (seconds: number) =>
    host.sh(
      `setsid -f /usr/bin/perl -e 'open F, ">>", "/var/lib/dpkg/lock-frontend"; $l = pack("ssx4qqi", 1, 0, 0, 0, 0); fcntl(F, 6, $l) or die; open G, ">/run/locked"; sleep ${seconds}; open H, ">/run/released"' </dev/null >/dev/null 2>&1; n=0; until [ -e /run/locked ]; do n=$((n + 1)); [ $n -le 300 ] || exit 1; sleep 0.1; done; rm /run/locked`,
    )
  hold(4)
  await apply(pkg({ name: 'ke-tool' }))
  assert.is(host.sh('ls /run/released'), '/run/released\n', 'it waited')
  hold(90)
  const why = await whyOf(pkg({ name: 'ke-tool', version: '1.0' }), pkg({ version: '2.0', lockSeconds: 2 }))
  assert.match(why, /another process kept the lock for 2 s/)
  assert.match(why, /package ke-lib failed; the host is as it was before/, why)
  assert.match(why, /lock was locked by another process with pid \d+/)
  host.sh('pkill -f lock-[f]rontend')
})

/**
 * dnf and zypper are not to be had here: these stand in for them. They record what they are asked, keep a list of
 * packages as rpm would show it, and answer with the exit codes of the real ones (200 and 7: locked). sh is bash there.
 */
const shims = `set -e
mv /usr/bin/apt-get /usr/bin/apt-get.away; ln -sf bash /bin/sh
mkdir -p /srv/rpm/locks; echo '8.0-1.el9' >/srv/rpm/tool
cat >/usr/bin/rpm <<'RPM'
#!/bin/sh
case $1 in
-q) for n; do :; done; [ -e /srv/rpm/$n ] || { echo "package $n is not installed"; exit 1; }
  printf 'status installed\\nversion %s\\n' "$(cat /srv/rpm/$n)" ;;
-e) echo "rpm $*" >>/srv/asked; rm /srv/rpm/$3; echo "erased $3" ;;
esac
RPM
cat >/usr/bin/dnf <<'DNF'
#!/bin/sh
if [ "$1 $2" = '-q versionlock' ]; then for it in /srv/rpm/locks/*; do [ ! -e "$it" ] || echo "\${it##*/}-7:5.5-6.el9.*"; done; exit; fi
if [ -e /srv/locked ]; then rm /srv/locked; echo 'Waiting for process'; exit 200; fi
echo "dnf $*" >>/srv/asked
for it; do case $it in -*) ;; *) v=$it; [ -n "$verb" ] || verb=$it ;; esac; done
case $verb in
install) case $v in tool-9*) echo 'No match for argument: tool-9'; exit 1 ;; tool-7*) echo older; exit 1 ;;
  tool-8.0*) echo 8.0-1.el9 >/srv/rpm/tool ;; tool-*) echo 8.1-1.el9 >/srv/rpm/tool ;; *) echo 5.5-6.el9 >/srv/rpm/$v ;; esac ;;
downgrade) case $v in tool-7*) echo 7.3-1.el9 >/srv/rpm/tool ;; tool-8.0*) echo 8.0-1.el9 >/srv/rpm/tool ;; *) exit 1 ;; esac ;;
versionlock) case "$*" in *' add '*) : >/srv/rpm/locks/$v ;; *) rm /srv/rpm/locks/$v ;; esac ;;
esac
DNF
cat >/usr/bin/zypper.later <<'ZYP'
#!/bin/sh
for it; do case $it in -*) ;; *) v=$it; [ -n "$verb" ] || verb=$it ;; esac; done
if [ "$verb" = locks ]; then echo '# | Name | Type | Repository'; for it in /srv/rpm/locks/*; do [ ! -e "$it" ] || echo "1 | \${it##*/} | package | (any)"; done; exit; fi
if [ -e /srv/locked ]; then rm /srv/locked; echo 'System management is locked'; exit 7; fi
echo "zypper $* ($ZYPP_LOCK_TIMEOUT)" >>/srv/asked
case $verb in
install) case $v in *=*-*) echo \${v#*=} >/srv/rpm/\${v%=*} ;; *=*) echo \${v#*=}-1.1 >/srv/rpm/\${v%=*} ;; *) echo 5.5-150 >/srv/rpm/$v; exit 102 ;; esac ;;
addlock) : >/srv/rpm/locks/$v ;;
removelock) rm -f /srv/rpm/locks/$v ;;
esac
ZYP
chmod 755 /usr/bin/rpm /usr/bin/dnf /usr/bin/zypper.later`

const asked = () => host.sh('cat /srv/asked; rm -f /srv/asked').trim().split('\n')
const rpms = () => host.sh('cd /srv/rpm; for it in *; do [ -d $it ] || echo "$it $(cat $it)"; done; ls locks')

test('dnf (a stand-in) is asked as it wants to be asked', async () => {
  host.sh(shims)
  const there = { ssh, host: host.address, snapshot: rpms }
  await roundTrip(there, {
    tasks: [pkg({ name: 'squid', names: { dnf: 'squid-el' }, undo: 'remove' }), pkg({ name: 'tool', hold: true })],
  })
  const now = 'dnf -y --setopt=exit_on_lock=True'
  assert.equal(asked(), [
    `${now} install --setopt=install_weak_deps=False squid-el`,
    `${now} versionlock add tool`,
    `${now} versionlock delete tool`,
    'rpm -e -- squid-el',
  ])
  host.sh('touch /srv/locked')
  const plan = await roundTrip(there, { tasks: [pkg({ name: 'tool', version: '7*' })] })
  assert.is(plan[0]?.diff, 'version: 8.0-1.el9 -> 7*')
  assert.equal(asked(), [
    `${now} install --setopt=install_weak_deps=False tool-7*`,
    `${now} downgrade tool-7*`,
    `${now} install --setopt=install_weak_deps=False tool-8.0-1.el9`,
  ])
  host.sh('echo 8.0-1.el9 >/srv/rpm/tool')
})

test('zypper (a stand-in) is asked as it wants to be asked', async () => {
  host.sh('mv /usr/bin/dnf /usr/bin/dnf.away; mv /usr/bin/zypper.later /usr/bin/zypper; echo 8.0-1.1 >/srv/rpm/tool')
  const there = { ssh, host: host.address, snapshot: rpms }
  await roundTrip(there, {
    tasks: [pkg({ name: 'squid', undo: 'remove' }), pkg({ name: 'tool', version: '9*', hold: true })],
  })
  const now = 'zypper -q --non-interactive'
  assert.equal(asked(), [
    `${now} install --no-recommends --oldpackage squid (20)`,
    `${now} install --no-recommends --oldpackage tool=9 (20)`,
    `${now} addlock tool (20)`,
    `${now} removelock tool (20)`,
    `${now} install --no-recommends --oldpackage tool=8.0-1.1 (20)`,
    'rpm -e -- squid',
  ])
  host.sh('touch /srv/locked')
  assert.match(await whyOf(pkg({ name: 'squid' })), /System management is locked/)
})
