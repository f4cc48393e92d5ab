import { createRequire } from 'node:module'
import { lazily } from '../../engine/lazily.ts'
import type { Ground, GuardedContainer, Rule } from './rule.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

/** Names of a cluster: of Services and pods, DNS, the API server. */
export const NAMES = ['.svc', '.cluster.local']

/** What a container sends to a proxy of ours although it is in the cluster: its NO_PROXY does not say it. */
export const aroundTheProxy: Rule = {
  what: "sending the cluster's own traffic by the proxy",
  next: 'let NO_PROXY and no_proxy have .svc, .cluster.local and the ranges of pods and Services',
  mends: true,
  look: ({ pod, ground }) =>
    (pod?.containers ?? []).flatMap(it => {
      const lacking = lackingIn(it, ground)
      return lacking.length > 0 ? [`container ${it.name} asks the proxy for ${lacking.join(', ')}`] : []
    }),
}

const lackingIn = ({ env = [] }: GuardedContainer, { inside = [], proxies }: Ground): string[] => {
  const said = env.flatMap(({ name, value }) => (value === undefined ? [] : [{ name: name.toLowerCase(), value }]))
  const byProxy = said.some(it => /^(https?|all)_proxy$/.test(it.name) && isOurs(it.value, proxies))
  if (!byProxy) return []
  const without = env.filter(it => it.name.toLowerCase() === 'no_proxy')
  // What it takes from elsewhere is not seen here.
  if (without.some(it => it.value === undefined && Object.keys(it).length > 1)) return []
  const lists = without.map(it => (it.value ?? '').split(',').map(entry => entry.trim()))
  if (lists.length === 0) lists.push([])
  return [...NAMES, ...inside].filter(it => !lists.every(list => list.some(entry => covers(entry, it))))
}

const isOurs = (url: string, proxies: Ground['proxies']): boolean =>
  url !== '' && (!proxies || proxies.includes(hostOf(url)))

/** Programs take `http://host:port`, `host:port` and `host`. */
const hostOf = (url: string): string => {
  const text = url.includes('://') ? url : `http://${url}`
  return URL.canParse(text) ? new URL(text).hostname : ''
}

const covers = (entry: string, wanted: string): boolean => {
  if (entry === '*' || entry === wanted || `.${entry}` === wanted || entry === `*${wanted}`) return true
  if (!isRange(entry) || !isRange(wanted)) return false
  const { Address4 } = ip()
  return new Address4(wanted).isInSubnet(new Address4(entry))
}

const isRange = (it: string): boolean => it.includes('/') && ip().Address4.isValid(it)
