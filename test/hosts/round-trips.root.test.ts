import * as assert from 'uvu/assert'
import type { HostAddress } from '../../src/hosts/address.ts'
import { look } from '../../src/hosts/exchange.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { ufwTask } from '../../src/hosts/squid.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import type { Task } from '../../src/hosts/tasks/all.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'
import { type Wire, wireTo } from '../support/wire.ts'

const { test, before, after } = suite('round trips to a real sshd')

/** Long, beside what a busy machine adds to a round trip. */
const oneWayMs = 150
let host: TestHost
let long: Wire
let short: Wire

before(async () => {
  host = await makeHost(7)
  long = await wireTo(host.address.address, 22, { delayMs: oneWayMs })
  short = await wireTo(host.address.address, 22)
})

after(async () => {
  await long?.close()
  await short?.close()
  await host?.down()
})

const over = ({ port }: Wire): HostAddress => ({ ...host.address, address: '127.0.0.1', port })

/** The quickest of a few, so that what else this machine does counts as little as possible. */
const quickest = async (times: number, run: () => Promise<number>): Promise<number> => {
  const all: number[] = []
  for (let n = 0; n < times; n++) all.push(await run())
  return Math.min(...all)
}

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const since = performance.now()
  await run()
  return performance.now() - since
}

/** Round trips by time: what a longer wire costs, and one for TCP, whose handshake this wire does not delay. */
const byTime = async (run: (wire: Wire) => Promise<number>): Promise<number> => {
  const near = await quickest(4, () => run(short))
  const far = await quickest(4, () => run(long))
  return (far - near) / (2 * oneWayMs) + 1
}

test('the first answer of a look comes within 6 round trips of the first packet', async () => {
  const lookOnce = async (wire: Wire) => {
    const ssh = createSsh({ bootSeconds: 0 })
    const ms = await timed(() =>
      look(ssh, over(wire), [{ task: 'directory', path: '/etc', mode: '0755', owner: 'root', group: 'root' }], {}),
    )
    await ssh.close()
    return ms
  }
  await lookOnce(long)
  long.turns()
  await lookOnce(long)
  // Identification, algorithms, key exchange; login, session, command and script at once; then two that say good-bye.
  const turns = long.turns()
  assert.ok(turns <= 6, `${turns} turns`)
  const trips = await byTime(lookOnce)
  assert.ok(trips < 6, `${trips.toFixed(2)} round trips`)
})

test('a further exchange on the same connection, with its script, takes one round trip', async () => {
  const ssh = createSsh({ bootSeconds: 0 })
  const script = `: ${'x'.repeat(200_000)}\necho done\n`
  const run = async (wire: Wire) => {
    await ssh.exec(over(wire), { command: 'true', repeatable: true })
    return timed(async () => {
      const { stdout } = await ssh.exec(over(wire), { command: 'sh -s', stdin: script })
      assert.is(stdout, 'done\n')
    })
  }
  const trips = (await byTime(run)) - 1
  assert.ok(trips < 2, `${trips.toFixed(2)} round trips`)
  await ssh.close()
})

test('one connection and one exec find nothing to do; a change takes one more, and a login where it is confirmed', async () => {
  const port = 2223
  // Its own log, of every login and every command.
  host.sh(`/usr/sbin/sshd -p ${port} -o LogLevel=VERBOSE -o PidFile=/run/counted.pid -E /run/counted.log`)
  const address = { ...host.address, port }
  const everybody = ['192.0.2.128/25']
  const file = (path: string, content: string): Task => {
    return { task: 'file', path, content, mode: '0600', owner: 'root', group: 'root' }
  }
  const files = ['/etc/counted', '/etc/counted-too'].map(it => file(it, 'changed\n'))
  const rules = ['a', 'b'].map(it =>
    file(`/etc/ufw/applications.d/${it}`, `[${it}]\ntitle=${it}\ndescription=${it}\nports=9/tcp\n`),
  )
  const firewall = ufwTask({ ssh: { allow: everybody, port }, proxy: { from: everybody, ports: [3128] } })
  const counted = () => {
    const log = host.sh('cat /run/counted.log; : >/run/counted.log')
    const count = (words: RegExp) => [...log.matchAll(words)].length
    return { logins: count(/^Accepted publickey /gm), execs: count(/^Starting session: command/gm) }
  }
  for (const { tasks, expected } of [
    { tasks: files, expected: { logins: 1, execs: 2 } },
    { tasks: files, expected: { logins: 1, execs: 1 } },
    // The third command is the confirmation's own, on the new login.
    { tasks: [...files, firewall], expected: { logins: 2, execs: 3 } },
    { tasks: [...files, firewall], expected: { logins: 1, execs: 1 } },
    // Neighbours of one zone are confirmed together.
    { tasks: rules, expected: { logins: 2, execs: 3 } },
  ]) {
    const want: HostPlay = { host: address, tasks, handlers: {} }
    const ssh = createSsh({ bootSeconds: 5 })
    const seen = await hostPlay.read(want, { ssh }, quiet)
    if (hostPlay.diff(want, seen)) await hostPlay.apply(want, { ssh }, seen, quiet)
    await ssh.close()
    assert.equal(counted(), expected)
  }
  host.sh('kill $(cat /run/counted.pid)')
})
