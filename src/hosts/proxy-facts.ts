import type { HostAddress } from './address.ts'
import { asRoot } from './become.ts'
import { quote } from './shell.ts'
import type { Ssh } from './ssh.ts'
import { policies, spool } from './tasks/policy.ts'

/** What a proxy is made of, as it says itself: versions, and what its decisions rest on by hash. No content, no secret. */
export type ProxyFacts = {
  time: string
  system: string
  kernel: string
  squid: string
  ufw: string
  /** Is UFW on? */
  firewall: string
  squidConf: string
  /** Of the rules that UFW keeps, both families. */
  ufwRules: string
  helper: string
  /** By tenant: what is installed, what the helper says it decides by. */
  policies: Record<string, { revision: string; inForce: string; sha256: string }>
}

/** Looks at a proxy over SSH, in one exchange. Changes nothing. One that does not answer is not waited for. */
export const readProxyFacts = async (ssh: Ssh, host: HostAddress, signal?: AbortSignal): Promise<ProxyFacts> => {
  const { stdout } = await ssh.exec(host, {
    ...asRoot(host, script),
    timeoutSeconds: 60,
    bootSeconds: 3,
    repeatable: true,
    ...(signal && { signal }),
  })
  return factsIn(stdout)
}

export const factsIn = (text: string): ProxyFacts => {
  const lines = text.split('\n')
  const of = (key: string) => lines.find(it => it.startsWith(`${key}\t`))?.slice(key.length + 1) ?? ''
  const rows = lines.filter(it => it.startsWith('policy\t')).map(it => it.split('\t'))
  return {
    ...{ time: of('time'), system: of('system'), kernel: of('kernel'), squid: of('squid'), ufw: of('ufw') },
    ...{ firewall: of('firewall'), squidConf: of('conf'), ufwRules: of('rules'), helper: of('helper') },
    policies: Object.fromEntries(
      rows.map(([, tenant = '', revision = '', inForce = '', sha256 = '']) => [tenant, { revision, inForce, sha256 }]),
    ),
  }
}

const script = `say() { printf '%s\\t%s\\n' "$1" "$2"; }
sum() { cat -- "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }
say time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
say system "$(. /etc/os-release 2>/dev/null; printf '%s' "$PRETTY_NAME")"
say kernel "$(uname -sr)"
say squid "$(squid -v 2>/dev/null | sed -n 's/^Squid Cache: Version //p')"
say ufw "$(ufw version 2>/dev/null | sed -n '1s/^ufw //p')"
say firewall "$(LC_ALL=C ufw status 2>/dev/null | sed -n '1s/^Status: //p')"
say conf "$(sum /etc/squid/squid.conf)"
say rules "$(sum /etc/ufw/user.rules /etc/ufw/user6.rules)"
say helper "$(sum /usr/local/lib/kapsule-egress/policy-helper)"
for link in ${quote(policies)}/*.policy; do
  [ -f "$link" ] || continue
  tenant=\${link##*/}; tenant=\${tenant%.policy}
  to=$(readlink -- "$link"); to=\${to##*/}
  printf 'policy\\t%s\\t%s\\t%s\\t%s\\n' "$tenant" "\${to%.policy}" "$(sed -n '1s/^loaded //p' ${quote(spool)}/egress-"$tenant".loaded 2>/dev/null)" "$(sum "$link")"
done
`
