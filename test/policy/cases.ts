import type { Entry, Lists } from '../../src/policy/entry.ts'
import type { Mode, Request } from '../../src/policy/policy.ts'
import { dice } from '../bench/dice.ts'

/** One policy, as an operator writes it, and a request. */
export type Case = { n: number; policy: number; lists: Lists; shared: Lists; mode: Mode; request: Request }

/** Dates that are past, and that no run of a test meets. */
const past = '2020-01-01'
const future = '2199-12-31'

/**
 * Requests against small policies about neighbouring names: suffix confusion, case, dots, other scripts, ports,
 * methods, protocols, denials over allowances, both modes, dates. The same seed gives the same cases; those of one
 * policy stand together, `policies` of them. No name resolves: what `resolved` would say is nobody's part here.
 */
export const cases = ({ seed = 1, policies = 50, each = 50 } = {}): Case[] => {
  const { roll } = dice(seed)
  const one = <T>(all: readonly T[]): T => all[Math.floor(roll() * all.length)]!
  const chance = (share: number) => roll() < share
  return Array.from({ length: policies }, (_, policy) => {
    const roots = Array.from({ length: 3 }, () => `${one(words)}.${one(tops)}`)
    const domain = () => `${chance(0.4) ? '.' : ''}${chance(0.5) ? `${one(subs)}.` : ''}${one(roots)}`
    const entry = (): Entry => ({
      ...(chance(0.1) ? { address: one(addresses) } : { domain: chance(0.2) ? oddly(domain(), one) : domain() }),
      ...(chance(0.4) && { ports: chance(0.5) ? [one(ports)] : [443, one(ports)] }),
      ...(chance(0.2) && { protocols: [one(['connect', 'http'] as const)] }),
      ...(chance(0.2) && { expires: one([past, future]) }),
    })
    const withMethods = (it: Entry): Entry =>
      it.protocols?.[0] !== 'connect' && chance(0.3) ? { ...it, methods: [one(methods), one(methods)] } : it
    const list = (size: number) => Array.from({ length: Math.floor(roll() * size) }, () => withMethods(entry()))
    const mode: Mode = chance(0.3) ? 'report' : 'enforce'
    const lists = { allow: [...list(5), { domain: one(roots) }], deny: list(3) }
    const shared = { allow: list(2), deny: list(2) }
    const named = [lists, shared].flatMap(it => [...it.allow, ...it.deny]).flatMap(it => it.domain ?? it.address ?? [])
    return Array.from({ length: each }, (_, at): Case => {
      const from = chance(0.7) ? one(named) : one(roots)
      const connect = chance(0.5)
      const usual = connect ? 443 : 80
      return {
        ...{ n: policy * each + at, policy, lists, shared, mode },
        request: {
          method: connect ? 'CONNECT' : one(methods),
          protocol: connect ? 'connect' : 'http',
          scheme: connect ? '' : 'http',
          host: near(from, one),
          port: chance(0.6) ? usual : one(ports),
        },
      }
    })
  }).flat()
}

const words = ['partner', 'pay', 'bank', 'a-b', 'xn--bcher-kva']
const tops = ['example', 'test', 'co.example']
const subs = ['www', 'api', 'a.b', 'x_y', '_srv']
const ports = [80, 443, 8080, 8443, 22, 1, 65535]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const addresses = ['203.0.113.9', '198.51.100.7', '2001:db8::1']

type One = <T>(all: readonly T[]) => T

/** The same name as an operator may write it. */
const oddly = (name: string, one: One): string =>
  one([name.toUpperCase(), `${name}.`, name.replace('xn--bcher-kva', 'BÜCHER')])

/** A host that is the name, is near it, or only looks like it. */
const near = (written: string, one: One): string => {
  const bare = written.replace(/^\.|\.$/g, '').replace(/bücher/i, 'xn--bcher-kva')
  if (/^[\d.]+$|:/.test(bare)) return one([bare, bare, bare.replace('9', '8')])
  const name = bare.toLowerCase()
  const dot = name.indexOf('.')
  return one([
    ...[name, name, bare, name.toUpperCase(), `${name}.`, `www.${name}`, `a.b.${name}`, `X.${name}`],
    ...[`evil${name}`, `evil-${name}`, `${name}.evil.test`, name.replace('.', '-'), name.slice(dot + 1)],
    ...[`${name}x`, `x_${name}`, name.replace('.', '.x.')],
  ])
}
