import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { Problem, Problems } from '../engine/problem.ts'
import { byName, type Mode, type Policy, type Rule } from '../policy/policy.ts'

/** What a tenant may reach. `.x.test` is x.test and all below it; ports default to 80 and 443. */
export type Allowed = { domain: string; ports?: number[] }

/** Names that have the same ports: one list file for Squid, and the ports for tunnels and for plain HTTP. */
export type AllowGroup = { names: string[]; tls: number[]; plain: number[] }

/** The tenant's list as the policy that the proxy's helper decides by. */
export const policyFrom = (tenant: string, mode: Mode, allow: Allowed[]): Policy => {
  const rules = new Map<string, Rule>()
  for (const { names, tls, plain } of allowGroups(allow, tenant))
    for (const name of names) {
      const known = rules.get(name)
      const all = (ports: number[], more: Rule['connect'] = []) =>
        more === '*' ? more : [...new Set([...ports, ...more])].sort((a, b) => a - b)
      rules.set(name, {
        ...{
          id: `allow:${name}`,
          effect: 'allow',
          name,
          methods: null,
          expires: null,
          comment: null,
          requestedBy: null,
        },
        ...{ connect: all(tls, known?.connect), http: all(plain, known?.http) },
      })
    }
  return { tenant, mode, rules: [...rules.values()].sort(byName) }
}

const standardPorts = [80, 443]

/**
 * The list in the only form Squid reads as meant: a name it cannot match it skips in silence, and overlapping names
 * end it. Sorted by reversed labels, which it loads several times faster. Throws all problems at once.
 */
export const allowGroups = (allow: Allowed[], tenant: string): AllowGroup[] => {
  const problems: Problem[] = []
  const groups = new Map<string, Set<string>>()
  for (const { domain, ports = standardPorts } of allow) {
    try {
      const name = normal(domain)
      if (!ports.length || ports.some(it => !Number.isInteger(it) || it < 1 || it > 65535))
        throw new Error(`bad ports ${ports}`)
      const key = [...new Set(ports)].sort((a, b) => a - b).join(',')
      groups.set(key, (groups.get(key) ?? new Set()).add(name))
    } catch (error) {
      problems.push(
        new Problem(`${tenant}: ${JSON.stringify(domain)} cannot be on the allowlist`, {
          why: (error as Error).message,
          next: 'write a name such as api.example.com, or .example.com for everything below it',
          exit: 2,
        }),
      )
    }
  }
  if (problems.length === 1) throw problems[0]
  if (problems.length) throw new Problems(problems)
  return [...groups]
    .sort(([a], [b]) => (a === '80,443' ? -1 : b === '80,443' ? 1 : a < b ? -1 : 1))
    .map(([key, names]) => {
      const ports = key.split(',').map(Number)
      return {
        names: sorted(uncovered(names)),
        tls: ports.filter(it => it !== 80),
        plain: ports.filter(it => it !== 443),
      }
    })
}

const normal = (domain: string): string => {
  const below = domain.startsWith('.')
  const text = (below ? domain.slice(1) : domain).normalize('NFC')
  if (/[\s*/:@?#%[\]\\]/.test(text)) throw new Error('it is not a host name: no wildcards, URLs, ports or blanks')
  const name = domainToASCII(text).toLowerCase().replace(/\.$/, '')
  if (!name) throw new Error('it is not a host name')
  if (isIP(name) || /^[\d.]+$/.test(name)) throw new Error('it is an address, and only names can be approved')
  const labels = name.split('.')
  if (labels.length < 2) throw new Error('it is a whole top-level domain or a local name')
  if (name.length > 253 || labels.some(it => !/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(it)))
    throw new Error('a label is empty, too long or has characters that no host name has')
  return below ? `.${name}` : name
}

/** Without names that a leading-dot parent covers: Squid refuses to run with both. */
const uncovered = (names: Set<string>): string[] =>
  [...names].filter(name => {
    const bare = name.replace(/^\./, '')
    if (!name.startsWith('.') && names.has(`.${bare}`)) return false
    const labels = bare.split('.')
    return !labels.some((_, n) => n > 0 && names.has(`.${labels.slice(n).join('.')}`))
  })

const sorted = (names: string[]): string[] => {
  const key = (name: string) => name.replace(/^\./, '').split('.').reverse().join(' ')
  return names
    .map(name => [key(name), name] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, name]) => name)
}
