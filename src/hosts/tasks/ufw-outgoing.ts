import { quote } from '../shell.ts'
import { canonical, ours } from './ufw-rules.ts'

/**
 * What processes of one user may begin: name servers first, then nothing that goes to the host itself, but to ports
 * that the kernel hands out, or into a range of `refuse`. Without name servers any may be asked.
 */
export type UfwOutgoing = { user: string; nameservers: string[]; refuse: string[] }
export type Family = 'v4' | 'v6'

/** Lines of the chain that begins all outgoing traffic, in their order; those of others too, from the file and the kernel. */
export type OutgoingSeen = Record<Family, { file: string[]; kernel: string[] }>

const families = ['v4', 'v6'] as const
const chain = (family: Family) => (family === 'v4' ? 'ufw-before-output' : 'ufw6-before-output')
const fileOf = (family: Family) => (family === 'v4' ? '/etc/ufw/before.rules' : '/etc/ufw/before6.rules')
const restoreOf = (family: Family) => (family === 'v4' ? 'iptables-restore' : 'ip6tables-restore')

/**
 * The lines of a family, as iptables-restore(8) reads them. What is no new TCP connection is let through at once: answers
 * to clients of the private network, and connections that the kernel has not seen the beginning of.
 */
export const linesOf = (wanted: UfwOutgoing | undefined, family: Family): string[] => {
  if (!wanted) return []
  const { user, nameservers, refuse } = wanted
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Error(`${JSON.stringify(user)} is no user`)
  const within = (all: string[]) => all.map(canonical).flatMap(it => (it.family === family ? [it.cidr] : []))
  const servers = nameservers.length ? within(nameservers).map(it => `-d ${it} `) : ['']
  const line = (match: string, target: string, comment: string) =>
    `-A ${chain(family)} ${match}-m owner --uid-owner ${user} -m comment --comment "${ours}${user} ${comment}" -j ${target}`
  return [
    line('-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN ', 'ACCEPT', 'goes on with what is open'),
    ...servers.flatMap(to =>
      ['udp', 'tcp'].map(proto =>
        line(`${to}-p ${proto} -m ${proto} --dport 53 `, 'ACCEPT', `asks ${to ? 'our name server' : 'name servers'}`),
      ),
    ),
    // Squid's external helpers come back to it over TCP, at a port that the kernel chose.
    line(
      `-d ${family === 'v4' ? '127.0.0.1/32' : '::1/128'} -o lo -p tcp -m tcp --dport 32768:60999 `,
      'ACCEPT',
      'speaks with its helpers',
    ),
    line('-o lo ', 'REJECT', 'calls nothing on this host'),
    ...within(refuse).map(it => line(`-d ${it} `, 'REJECT', 'calls nothing inside')),
  ]
}

/** For the look of a task: `o4`, `o6` from the files, `q4`, `q6` from the kernel, with users by name. */
export const lookOutgoing = (
  user = 'proxy',
) => `sed -n 's/^-A ufw-before-output /o4 &/p' /etc/ufw/before.rules 2>/dev/null
sed -n 's/^-A ufw6-before-output /o6 &/p' /etc/ufw/before6.rules 2>/dev/null
uid=$(id -u ${quote(user)} 2>/dev/null) || uid=none
named="s/ --uid-owner $uid / --uid-owner ${user} /"
if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
  iptables -S ufw-before-output 2>/dev/null | sed -n "$named; s/^-A/q4 -A/p"
  ip6tables -S ufw6-before-output 2>/dev/null | sed -n "$named; s/^-A/q6 -A/p"
fi`

const isOurs = (line: string) => line.includes(`--comment "${ours}`)

/** The same words in the same order, whoever wrote the line: what the kernel adds to a target is left out. */
export const wordsOf = (line: string): string =>
  (line.replace(/ --reject-with \S+/, '').match(/"[^"]*"|\S+/g) ?? [])
    .join(' ')
    .replace(/ (-[mj]) /g, '\n$1 ')
    .split('\n')
    .map((it, n) => (n === 0 ? matches(it) : it))
    .sort()
    .join(' ')

/** `-d`, `-o` and `-p` come in any order. */
const matches = (text: string) =>
  text
    .split(/ (?=-[dop] )/)
    .sort()
    .join(' ')

/** A line as people read it: `v4 outgoing REJECT -d 10.0.0.0/8  # kapsule-egress: proxy ...`. */
const told = (family: Family, line: string): string => {
  const target = /-j (\S+)/.exec(line)?.[1] ?? ''
  const rest = line
    .replace(/^-A \S+ /, '')
    .replace(/ ?-m (owner --uid-owner \S+|comment --comment "[^"]*"|tcp|udp)/g, '')
  const comment = /--comment "([^"]*)"/.exec(line)?.[1]
  return `${family} outgoing ${target} ${rest.replace(/ ?-j \S+.*$/, '')}  # ${comment}`
}

/** Everything between what is wanted and what is there, a line each. Ours are known by their comment, and come first. */
export const outgoingDrift = (wanted: UfwOutgoing | undefined, seen: OutgoingSeen, enabled: boolean): string[] =>
  families.flatMap(family => {
    const should = linesOf(wanted, family)
    const { file, kernel } = seen[family]
    const inFile = between(should, file, (line, sign) => `${sign} ${told(family, line)}`)
    const first = startsWith(file, should) ? [] : [`! ${family}: our outgoing rules are not the first, in their order`]
    if (!enabled) return [...inFile, ...(inFile.length ? [] : first)]
    const inKernel = between(file.filter(isOurs), kernel, (line, sign) =>
      sign === '+'
        ? `! ${told(family, line)}: not in force in the kernel`
        : `! ${told(family, line)}: in the kernel only`,
    )
    const order = startsWith(kernel, file.filter(isOurs))
      ? []
      : [`! ${family}: the kernel has our outgoing rules in other places`]
    return [...inFile, ...(inFile.length ? [] : first), ...inKernel, ...(inKernel.length ? [] : order)]
  })

const between = (should: string[], there: string[], say: (line: string, sign: '+' | '-') => string): string[] => {
  const [wanted, seen] = [should, there.filter(isOurs)].map(all => new Set(all.map(wordsOf))) as [
    Set<string>,
    Set<string>,
  ]
  return [
    ...should.filter(it => !seen.has(wordsOf(it))).map(it => say(it, '+')),
    ...there.filter(it => isOurs(it) && !wanted.has(wordsOf(it))).map(it => say(it, '-')),
  ]
}

const startsWith = (all: string[], first: string[]) => first.every((line, n) => wordsOf(line) === wordsOf(all[n] ?? ''))

/** Puts these lines in the place of ours in both files: all of them in one rename, read by iptables before that. */
export const writeOutgoing = (lines: Record<Family, string[]>): string =>
  [
    `outgoing() { # file, its reader, the chain, lines
  [ -e "$1" ] || return 0
  if [ -n "$4" ]; then
    printf '*filter\\n:%s - [0:0]\\n%s\\nCOMMIT\\n' "$3" "$4" | "$2" --test --noflush || { echo "$2 does not read our outgoing rules"; exit 1; }
  fi
  new=$1.kapsule-egress-new place=
  cp -a -- "$1" "$new" || exit 1
  put() { if [ -n "$1" ]; then printf '%s\\n' "$1"; fi; place=done; }
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    *'--comment "${ours}'*) continue ;;
    '*filter'*) if [ -z "$place" ]; then place=here; fi ;;
    '# End required lines'*) if [ "$place" = here ]; then printf '%s\\n' "$line"; put "$4"; continue; fi ;;
    '-A '* | COMMIT*) if [ "$place" = here ]; then put "$4"; fi ;;
    esac
    printf '%s\\n' "$line"
  done <"$1" >"$new" || exit 1
  mv -fT -- "$new" "$1" && sync -- "$1"
}`,
    ...families.map(it => ['outgoing', fileOf(it), restoreOf(it), chain(it), quote(lines[it].join('\n'))].join(' ')),
  ].join('\n')

/** Ours among what was seen in the files. */
export const oursIn = (seen: OutgoingSeen): Record<Family, string[]> => ({
  v4: seen.v4.file.filter(isOurs),
  v6: seen.v6.file.filter(isOurs),
})
