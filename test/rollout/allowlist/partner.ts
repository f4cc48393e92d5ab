import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFirewallRules, type FirewallRule } from '../../../src/sandbox/internet/firewall-rules.ts'

export const KEY = 'cbkey_of_this_test'
process.env.PARTNER_KEY_OF_TEST = KEY

/** The firewall of a partner behind the loopback; what each change left is on record. */
export const startPartner = async (ranges: string[] = ['198.51.100.7/32']) => {
  const history: string[][] = []
  const calls: string[] = []
  let onCall: (() => void) | undefined
  const rules = createFirewallRules({
    network: 'net1',
    key: KEY,
    onChange: (now: readonly FirewallRule[]) => {
      history.push(now.map(it => it.rule))
    },
  })
  await rules.set(ranges)
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`)
    response.once('finish', () => onCall?.())
    rules.handle(request, response, request.url ?? '/')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    rules,
    history,
    calls,
    ref: { provider: 'crunchybridge' as const, network: 'net1', key: { env: 'PARTNER_KEY_OF_TEST' }, url },
    now: () =>
      rules
        .rules()
        .map(it => it.rule)
        .sort(),
    /** Called when a call was answered. */
    watch(then: (() => void) | undefined) {
      onCall = then
    },
    close: () =>
      new Promise<void>(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
