import { gunzipSync, gzipSync } from 'node:zlib'
import { quote, unbase64, writing } from '../shell.ts'
import { hash } from './file.ts'
import { fields, type TaskKind } from './kind.ts'

export type PolicyTask = {
  task: 'policy'
  tenant: string
  /** As `policyText` writes it. */
  text: string
  notify?: string[]
}

/**
 * `revision`: what the link names, `12-0a1b2c3d`. `content`: base64 of gzip; null when it is over 1 MB even so. Where no
 * policy can be read: `broken` is where a link leads all the same, `others` the files that are there, in base64 both.
 */
export type PolicyState = {
  revision: string | null
  sha256: string
  rights: string
  content: string | null
  broken?: string
  others?: string
}

export const policies = '/etc/squid/egress'
export const policyHelper = '/usr/local/lib/kapsule-egress/policy-helper'
export const spool = '/var/spool/squid'

const kept = 20
const maxContent = 1024 * 1024
const rights = '640 root proxy'

/**
 * The policy of one tenant, as a numbered revision that its link names. Squid is not told: its helper takes the file by
 * itself, and the change is done when that has it in force. The newest twenty stay on the host, for the way back.
 */
export const policyTask: TaskKind<PolicyTask, PolicyState> = {
  title: ({ tenant }) => `policy of ${tenant}`,
  look: ({ tenant, text }) => `${here(tenant)}
if [ -L "$link" ] && [ -f "$link" ]; then
  to=$(readlink -- "$link"); to=\${to##*/}; echo "revision \${to%.policy}"
  sum=$(sha256sum <"$link"); sum=\${sum%% *}; echo "sha256 $sum"
  echo "rights $(stat -L --printf '%a %U %G' -- "$link")"
  if [ "$sum" != ${hash(text)} ]; then
    content=$(gzip -nc <"$link" | base64 -w0)
    if [ \${#content} -le ${maxContent} ]; then echo "content $content"; fi
  fi
else
  if [ -L "$link" ]; then echo "broken $(readlink -n -- "$link" | base64 -w0)"; fi
  if [ -d "$dir" ]; then echo "others $(ls -A -- "$dir" | base64 -w0)"; fi
fi`,
  parse(output, task) {
    const { revision = null, sha256 = '', rights = '', content = null, broken, others } = fields(output)
    if (revision === null)
      return {
        ...{ revision, sha256, rights, content },
        ...(broken !== undefined && { broken }),
        ...(others !== undefined && { others }),
      }
    if (task && sha256 === hash(task.text)) return { revision, sha256, rights, content: packed(task.text) }
    return { revision, sha256, rights, content }
  },
  diff({ tenant, text }, state) {
    const name = `policy of ${tenant}`
    const { revision, sha256 } = state
    if (revision === null) return { name, action: 'create', diff: changes('', text) }
    if (sha256 === hash(text)) {
      if (revision.endsWith(`-${sha256.slice(0, 8)}`) && state.rights === rights) return null
      return { name, action: 'update', diff: `revision ${revision}: name or rights (${state.rights}) were changed` }
    }
    const before = state.content === null ? null : gunzipSync(unbase64(state.content)).toString()
    const edited = revision.endsWith(`-${sha256.slice(0, 8)}`) ? '' : ', which was edited on the host'
    const what = before === null ? `sha256: ${sha256} -> ${hash(text)}` : changes(before, text)
    return { name, action: 'update', diff: `after revision ${revision}${edited}\n${what}` }
  },
  change: ({ tenant, text }) => `${here(tenant)}
mkdir -p -- "$dir"
last=$(ls -- "$dir" | sed -n 's/^\\([0-9][0-9]*\\)-.*/\\1/p' | sort -n | tail -n 1)
revision=$((\${last:-0} + 1))-${hash(text).slice(0, 8)}
${install(writing(text, '"$c"'))}
ls -- "$dir" | grep -E '^[0-9]+-' | sort -n | head -n -${kept} | while read -r old; do rm -f -- "$dir/$old"; done`,
  restore({ tenant }, { revision, content, broken, others }) {
    if (revision === null)
      return `${here(tenant)}
${leaveNothing}
rm -f -- "$link" ${spool}/egress-${tenant}.loaded
${others === undefined ? 'rm -rf -- "$dir"' : leave(others)}${broken === undefined ? '' : `\nln -s -- "$(echo ${quote(broken)} | base64 -d)" "$link"`}`
    const lost = `echo "revision $revision of ${tenant} is not on the host any more"; exit 1`
    return `${here(tenant)}
${leaveNothing}
revision=${quote(revision)}
if [ "$(readlink -- "$link")" != ${tenant}/$revision.policy ]; then
mkdir -p -- "$dir"
if [ -f "$dir/$revision.policy" ]; then ${link}
else
${content === null ? lost : install(writing(gunzipSync(unbase64(content)), '"$c"'))}
fi
${awaitForce}
fi`
  },
  same: (before, now) =>
    before.revision === now.revision &&
    before.sha256 === now.sha256 &&
    before.rights === now.rights &&
    before.broken === now.broken,
}

/** Brings back a revision that is still on the host. */
export const pointTo = (tenant: string, revision: string): string => `${here(tenant)}
revision=${quote(revision)}
[ -f "$dir/$revision.policy" ] || { echo "there is no revision $revision of ${tenant}"; exit 1; }
${policyHelper} --check "$dir/$revision.policy"
${link}
${awaitForce}`

const here = (tenant: string) => `dir=${policies}/${quote(tenant)} link=${policies}/${quote(tenant)}.policy`

const link = `ln -sfn -- "\${dir##*/}/$revision.policy" "$link.new" && mv -fT -- "$link.new" "$link" && sync -- ${policies}`

/** What a run that was killed, or a full disk, left half-written. */
const leaveNothing = 'rm -f -- "$dir"/.[0-9]*.new'

/** `write` fills "$c"; what the helper would not take never gets the link. */
const install = (write: string) => `${leaveNothing}
c=$dir/.$revision.new
(umask 077; : >"$c")
${write}
${policyHelper} --check "$c" || { rm -f -- "$c"; exit 1; }
chown -- root:proxy "$c"
chmod -- 640 "$c"
put_in_place "$c" "$dir/$revision.policy"
${link}
${awaitForce}`

/**
 * Until Squid's helper says that it decides by it: at most ten seconds. Where Squid does not run, or with a
 * configuration that knows no helper yet, there is nobody to wait for.
 */
const awaitForce = `if grep -q '^external_acl_type egress_policy ' /etc/squid/squid.conf 2>/dev/null && squid -k check >/dev/null 2>&1; then
  said=${spool}/egress-\${dir##*/}.loaded n=0
  until [ "$(head -n 1 "$said" 2>/dev/null)" = "loaded $revision" ]; do
    if grep "^refused $revision " "$said" 2>/dev/null; then exit 1; fi
    n=$((n + 1))
    [ $n -le 100 ] || { echo "Squid's helper did not take revision $revision within 10 s"; exit 1; }
    sleep 0.1
  done
fi`

/** Earlier revisions are no less kept for a link that was lost. */
const leave = (others: string) => `others=$(echo ${quote(others)} | base64 -d)
ls -A -- "$dir" 2>/dev/null | while IFS= read -r it; do
  printf '%s\\n' "$others" | grep -qxF -- "$it" || rm -f -- "$dir/$it"
done`

const packed = (text: string): string | null => {
  const content = gzipSync(text).toString('base64')
  return content.length > maxContent ? null : content
}

const shown = 100

/** What a person agrees to: the mode, and rules that come and go, in their order. */
const changes = (before: string, now: string): string => {
  const [was, will] = [linesOf(before), linesOf(now)]
  const rows = [
    ...(was.mode === will.mode ? [] : [was.mode ? `mode: ${was.mode} -> ${will.mode}` : `mode: ${will.mode}`]),
    ...[...was.rules].filter(it => !will.rules.has(it)).map(it => `- ${spoken(it)}`),
    ...[...will.rules].filter(it => !was.rules.has(it)).map(it => `+ ${spoken(it)}`),
  ]
  const rest = rows.length - shown
  return [...rows.slice(0, shown), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n') || 'only the order of rules'
}

const linesOf = (text: string) => {
  const lines = text.split('\n')
  return {
    mode: lines.find(it => it.startsWith('mode\t'))?.slice(5),
    rules: new Set(lines.filter(it => /^(allow|deny)\t/.test(it))),
  }
}

/** `allow .x.example, CONNECT 443, HTTP 80, GET,HEAD, until 2026-12-31`. */
const spoken = (line: string): string => {
  const [effect, name, connect, http, methods, expires] = line.split('\t')
  const ports =
    connect === '*' && http === '*' ? [] : [connect !== '-' && `CONNECT ${connect}`, http !== '-' && `HTTP ${http}`]
  const words = [...ports, methods !== '*' && methods, expires !== '-' && `until ${expires}`].filter(Boolean)
  return [`${effect} ${name}`, ...words].join(', ')
}
