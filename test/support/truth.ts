import { applyPatch } from 'diff'
import * as assert from 'uvu/assert'
import type { Detail } from '../../src/engine/kind.ts'
import { Problem } from '../../src/engine/problem.ts'
import { hostPlay } from '../../src/hosts/play.ts'
import type { Ssh } from '../../src/hosts/ssh.ts'
import { type Task, titleOf } from '../../src/hosts/tasks/all.ts'
import type { Damage } from './damage.ts'
import type { TestHost } from './host.ts'
import { heardBy, quiet } from './plays.ts'
import { groundOfTruePlay, truePlay } from './true-play.ts'

/** Everything a play could touch, by name: paths with type, rights and hash, rules, services. Not asked of the product. */
type Picture = Map<string, string>

const pictureScript = `cd /
find etc home usr/share/ke-truth -xdev -printf '/%p\\t%y %m %U:%G %l\\n' 2>/dev/null
echo; find etc home usr/share/ke-truth -xdev -type f -exec sha256sum {} + 2>/dev/null
echo; for c in ufw-user-input ufw6-user-input; do
  case $c in *6*) t=ip6tables ;; *) t=iptables ;; esac
  echo "kernel $c	$($t -S $c 2>/dev/null | tr '\\n' ';')$($t -S INPUT 2>/dev/null | head -n 1)"
done
echo "squid	$(squid -k check 2>/dev/null && echo runs)"
echo "package	$(dpkg-query -W -f '\${Status} \${Version}' ke-truth 2>/dev/null)"
echo "setting	$(cat /proc/sys/net/ipv4/tcp_fin_timeout)"
echo "owed	$(tr '\\n' ';' </var/lib/kapsule-egress/pending 2>/dev/null)"
echo "handled	$(cat /run/counted 2>/dev/null | wc -l)"`

export const picture = (host: TestHost): Picture => {
  const [paths = '', hashes = '', facts = ''] = host.sh(pictureScript).split('\n\n')
  const seen: Picture = new Map()
  for (const line of paths.split('\n')) seen.set(line.split('\t')[0]!, line.split('\t')[1] ?? '')
  for (const line of hashes.split('\n'))
    seen.set(`/${line.slice(66)}`, `${seen.get(`/${line.slice(66)}`)} ${line.slice(0, 64)}`)
  for (const line of facts.trim().split('\n')) seen.set(line.split('\t')[0]!, line.split('\t')[1] ?? '')
  return seen
}

export const differing = (a: Picture, b: Picture): string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter(it => a.get(it) !== b.get(it)).sort()

/** What a task may change when it is in the plan, and nothing may when it is not. */
const reach = (task: Task): RegExp => {
  const at = (...paths: string[]) => new RegExp(`^(${paths.join('|')})$`)
  const exact = (path: string) => path.replace(/[.+]/g, '\\$&')
  switch (task.task) {
    case 'service':
      return at('/etc/rc\\d\\.d/[SK]\\d\\dsquid', '/etc/systemd/.*/squid\\.service', 'squid')
    case 'ufw':
      return at('/etc/ufw/.*', '/etc/default/ufw', 'kernel .*')
    case 'package':
      return task.name === 'ke-truth' ? at('/usr/share/ke-truth.*', 'package') : /^never$/
    case 'sysctl':
      return at('/etc/sysctl\\.d/99-zz-kapsule-egress-.*', 'setting')
    case 'user':
      return at('/etc/(passwd|shadow|group|gshadow|subuid|subgid)-?', '/etc/\\.pwd\\.lock')
    case 'authorizedKey':
      return at('/home/truth.*')
    case 'policy':
      return at(`/etc/squid/egress(/${task.tenant}(\\.policy|/.*)?)?`)
    case 'command':
      return at('/etc/truth/made')
    default:
      return 'path' in task ? at(exact(task.path)) : /^never$/
  }
}

/** A host with the play in force, and what it looked like then. */
export const trueHost = async (host: TestHost, ssh: Ssh) => {
  const want = truePlay(host.address)
  host.sh(groundOfTruePlay)
  await hostPlay.apply(want, { ssh }, null, quiet)
  // What the first start of ufw leaves out in chains that are not in use.
  host.sh('ufw reload')
  return { host, ssh, want, good: comparable(picture(host)) }
}

export type TrueHost = Awaited<ReturnType<typeof trueHost>>

/** Without what others have on the host, and in which order rules that all allow stand. */
const comparable = (seen: Picture): Picture =>
  new Map(
    [...seen]
      .filter(
        ([name]) =>
          !/^(handled|owed|\/etc\/squid\/egress\/client-[ab][./].*|\/etc\/(passwd|shadow|group|gshadow)-|\/etc\/ufw\/user6?\.rules.*|\/etc\/truth)/.test(
            name,
          ),
      )
      .map(([name, value]) => [
        name,
        name.startsWith('kernel')
          ? value
              .split(';')
              .filter(it => !it.includes('198.51.100.'))
              .sort()
              .join(';')
          : value,
      ]),
  )

export const harm = (host: TestHost, damage: Damage[]) =>
  host.sh(damage.map(({ run }) => `( ${run} ) >/dev/null 2>&1 || :`).join('\n') || ':')

/**
 * Damages the host and holds check mode to its word: looking changes nothing, the run does what the plan lists and
 * nothing else, to the bytes the plan shows, and a second run has nothing to do. Returns what was planned.
 */
export const holdTrue = async (it: TrueHost, damage: Damage[]): Promise<string[]> => {
  const { host, ssh, want, good } = it
  harm(host, damage)
  const was = picture(host)
  const contents = new Map(want.tasks.flatMap(task => ('path' in task ? [[task.path, bytesOf(host, task.path)]] : [])))
  const parts: string[] = []
  const report = heardBy(parts)
  const seen = (await hostPlay.read(want, { ssh }, report))!
  const details = hostPlay.diff(want, seen)?.details ?? []
  assert.equal(differing(was, picture(host)), [], 'looking changed something')
  const planned = details.map(({ name }) => name)
  const refused = details.some(({ diff }) => /move it away|not edited/.test(diff ?? ''))
  if (refused) {
    const thrown = await hostPlay.apply(want, { ssh }, seen, report).catch((error: unknown) => error)
    assert.instance(thrown, Problem)
    assert.match(`${(thrown as Problem).message}\n${(thrown as Problem).why}`, /the host is as it was before/)
    const left = differing(was, picture(host)).filter(
      name =>
        !/^(handled|owed|\/etc\/squid\/egress\/client-[ab][./].*|\/etc\/(passwd|shadow|group|gshadow)-)/.test(name),
    )
    assert.equal(left, [], 'a run that was refused left something changed')
    host.sh('[ ! -L /etc/truth/file ] || rm /etc/truth/file')
    host.sh(`printf 'before\\nafter\\n' >/etc/truth/blocks`)
    return ['refused', ...(await holdTrue(it, []))]
  }
  if (details.length > 0) await hostPlay.apply(want, { ssh }, seen, report)
  assert.equal(
    parts.map(it => it.replace(`${want.host.name}: `, '')).filter(it => !it.startsWith('a new login confirmed')),
    planned,
    'the run did something else than was planned',
  )
  const now = picture(host)
  const titles = new Set(planned)
  const reached = want.tasks.filter(task => titles.has(titleOf(task))).map(reach)
  if (titles.has('handler reload squid')) reached.push(/^(squid|owed)$/)
  if (titles.has('handler count')) reached.push(/^(handled|owed)$/)
  if ([...titles].some(title => title.startsWith('handler'))) reached.push(/^owed$/)
  const changed = differing(was, now)
  assert.equal(
    changed.filter(name => !reached.some(at => at.test(name))),
    [],
    `changed without being planned (${planned})`,
  )
  for (const task of want.tasks) {
    const detail = details.find(({ name }) => name === titleOf(task))
    if (!detail) continue
    assert.ok(
      changed.some(name => reach(task).test(name)),
      `${detail.name} was planned, and nothing changed`,
    )
    if ('path' in task) holdPatch(host, task.path, detail, contents.get(task.path) ?? null)
  }
  assert.equal(
    hostPlay.diff(want, await hostPlay.read(want, { ssh }, report)),
    null,
    'a second run has something to do',
  )
  assert.equal(differing(good, comparable(now)), [], 'not all was found: this is not what the play makes')
  return planned
}

export const bytesOf = (host: TestHost, path: string): Buffer | null => {
  const text = host.sh(`[ ! -f '${path}' ] || { echo there; base64 -w0 '${path}'; }`)
  return text.startsWith('there\n') ? Buffer.from(text.slice(6), 'base64') : null
}

/** The patch that was shown, applied to what was there, gives what is there now; the rights are those it named. */
const holdPatch = (host: TestHost, path: string, { diff = '' }: Detail, was: Buffer | null) => {
  const at = diff.search(/^--- /m)
  const now = bytesOf(host, path)
  if (at >= 0) assert.is(now?.toString(), applyPatch(was?.toString() ?? '', diff.slice(at)), `the diff of ${path}`)
  const [mode, owner] = host.sh(`stat -c '%a %U' '${path}' 2>/dev/null || :`).trim().split(' ')
  for (const [, what, to] of diff.matchAll(/^(mode|owner): \S+ -> (\S+)$/gm))
    assert.is(what === 'mode' ? mode : owner, to!.replace(/^0/, ''), `${what} of ${path}`)
}
