import { randomBytes } from 'node:crypto'
import type { Json } from '../engine/json.ts'
import { Problem } from '../engine/problem.ts'
import type { HostAddress } from './address.ts'
import { asRoot, refuseSudo } from './become.ts'
import type { HostExec, Ssh } from './ssh.ts'
import { kindOf, type Task, titleOf } from './tasks/all.ts'

/** What one look at a host has seen: a state per task, by title, and handlers an interrupted run still owes. */
export type Seen = { states: Record<string, Json>; pending: string[] }

/** Of util-linux, coreutils, grep and sed: without one a change would end half-way, or say what is not so. */
const tools = 'flock setsid base64 sha256sum stat sync install timeout cut tail grep sed'

/** All looks of a play in one script. It waits for a bundle that still runs, and the whole is read before it starts. */
export const lookScript = (tasks: Task[], mark: string): string => `ke_look() {
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
KE_STATE=/var/lib/kapsule-egress
ke_none=
for it in ${tools}; do command -v "$it" >/dev/null || ke_none="$ke_none $it"; done
if [ -n "$ke_none" ]; then echo "it has no$ke_none" >&2; exit 76; fi
if [ -e "$KE_STATE/lock" ]; then exec 9<"$KE_STATE/lock"; flock -s -w 300 9 || exit 75; fi
# Nor is what is being taken back a state: its runner may be dead, its timer is not: one whose number
# somebody else has by now is.
while [ -e "$KE_STATE/guard/armed" ] || [ -e "$KE_STATE/guard/reverting" ]; do
  grep -q guard/revert.sh "/proc/$(cat "$KE_STATE/guard/timer")/cmdline" || break
  sleep 0.1
done 2>/dev/null
${lookBody(tasks, mark)}
}
ke_look </dev/null
exit
`

/** The looks themselves, for a shell that knows $KE_STATE and need not wait for a bundle. */
export const lookBody = (tasks: Task[], mark: string): string => `echo ${mark} pending
[ ! -s "$KE_STATE/pending" ] || cat "$KE_STATE/pending"
ke_nl='
'
${ahead(tasks)}
${tasks.map((task, n) => `echo ${mark} ${n}\n${alone(task)}`).join('\n')}
echo ${mark} end`

const alone = (task: Task): string => {
  const { look, plain } = kindOf(task)
  return plain ? look(task) : `( ${look(task)}\n)`
}

/** A process costs a host more than all that the shell does by itself, so tasks of a kind ask together. */
const ahead = (tasks: Task[]): string =>
  [...Map.groupBy(tasks, it => it.task)].map(([, them]) => kindOf(them[0]!).ahead?.(them) ?? ':').join('\n')

export const parseLook = (tasks: Task[], mark: string, stdout: string): Seen | null => {
  const frames = new Map<string, string>()
  for (const part of stdout.split(`${mark} `).slice(1)) {
    const end = part.indexOf('\n')
    frames.set(part.slice(0, end), part.slice(end + 1))
  }
  if (!frames.has('end')) return null
  return {
    states: Object.fromEntries(
      tasks.map((task, n) => [titleOf(task), kindOf(task).parse(frames.get(String(n)) ?? '', task)]),
    ),
    pending: (frames.get('pending') ?? '').split('\n').filter(Boolean),
  }
}

/** One connection, one exec: everything the play wants to know. */
export const look = async (
  ssh: Ssh,
  host: HostAddress,
  tasks: Task[],
  options: Pick<HostExec, 'signal' | 'waiting' | 'bootSeconds'>,
): Promise<Seen> => {
  const mark = newMark()
  const answer = await ssh.exec(host, {
    ...options,
    ...asRoot(host, lookScript(tasks, mark)),
    timeoutSeconds: 420,
    repeatable: true,
  })
  const { code, stdout, stderr } = answer
  const seen = parseLook(tasks, mark, stdout)
  if (seen) return seen
  refuseSudo(host, answer)
  if (code === 76)
    throw new Problem(`${host.name}: the host lacks programs that every change needs`, {
      why: stderr.trim().slice(-500),
      next: 'install util-linux, coreutils, grep and sed there; nothing was touched',
    })
  throw new Problem(`${host.name}: the host could not be looked at`, {
    why: stderr.trim().slice(-500) || `the look ended early with exit code ${code}`,
    next:
      code === 75
        ? 'another run still changes this host: wait for it'
        : `log in as ${host.user} and see whether \`sh\` and sudo work there: a login shell such as nologin, or a .bashrc that reads or ends, keeps commands from it`,
  })
}

/** Random, so that nothing a file contains can be taken for a frame. */
export const newMark = () => `KE-${randomBytes(12).toString('hex')}`
