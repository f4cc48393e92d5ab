import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import type { Ssh } from './ssh.ts'
import { policies, spool } from './tasks/policy.ts'

/** One policy of a tenant that a proxy still has. `installed`: ISO time. */
export type Revision = {
  tenant: string
  revision: string
  installed: string
  mode: string
  rules: number
  /** What the link names, and what Squid's helper says it decides by. */
  current: boolean
  inForce: boolean
}

const listing = `cd ${policies} 2>/dev/null || exit 0
for link in *.policy; do
  [ -L "$link" ] || continue
  tenant=\${link%.policy}
  current=$(readlink -- "$link"); current=\${current##*/}
  loaded=$(sed -n '1s/^loaded //p' ${spool}/egress-"$tenant".loaded 2>/dev/null)
  for file in "$tenant"/[0-9]*.policy; do
    [ -f "$file" ] || continue
    name=\${file##*/}
    printf '%s %s %s %s %s %s %s\\n' "$tenant" "\${name%.policy}" "$(stat -c %Y -- "$file")" \\
      "$(sed -n '3s/^mode.//p' "$file")" "$(tail -n 1 -- "$file" | sed -n 's/^end.//p')" \\
      "$([ "$name" = "$current" ] && echo yes || echo no)" "$([ "\${name%.policy}" = "$loaded" ] && echo yes || echo no)"
  done
done
`

/** All revisions that a proxy has, of each tenant the newest last. */
export const listRevisions = async (ssh: Ssh, host: HostAddress, signal: AbortSignal): Promise<Revision[]> => {
  const { stdout } = await ssh.exec(host, {
    ...asRoot(host, listing),
    timeoutSeconds: 60,
    repeatable: true,
    signal,
  })
  return parseRevisions(stdout)
}

export const parseRevisions = (text: string): Revision[] =>
  text
    .split('\n')
    .map(it => it.split(' '))
    .filter(it => it.length === 7)
    .map(([tenant, revision, time, mode, rules, current, inForce]) => ({
      ...{ tenant: tenant!, revision: revision!, mode: mode!, rules: Number(rules) },
      installed: new Date(Number(time) * 1000).toISOString().replace('.000', ''),
      ...{ current: current === 'yes', inForce: inForce === 'yes' },
    }))
    .sort((a, b) => (a.tenant === b.tenant ? numberOf(a) - numberOf(b) : a.tenant < b.tenant ? -1 : 1))

const numberOf = ({ revision }: Revision) => Number.parseInt(revision, 10)

/**
 * The revision before the current one, the one of that number, or the newest of that hash, which is the same policy on
 * every host; undefined: the host does not have it.
 */
export const revisionTo = (all: readonly Revision[], to: string): Revision | undefined => {
  if (to !== 'previous')
    return (
      all.find(it => it.revision === to || String(numberOf(it)) === to) ??
      all.findLast(it => it.revision.endsWith(`-${to}`))
    )
  const current = all.find(it => it.current)
  return current && all.filter(it => numberOf(it) < numberOf(current)).at(-1)
}
