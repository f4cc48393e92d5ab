import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { readAudit } from '../../src/hosts/audit-read.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { Unreachable } from '../../src/hosts/ssh-problems.ts'
import { parseAuditLine } from '../../src/policy/audit-line.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('the audit log of a host', { seconds: 90 })

const log = '/var/log/squid/audit.log'
const ssh = createSsh({ connectTimeoutSeconds: 2, bootSeconds: 0 })
let host: TestHost

before(async () => {
  host = await makeHost(0, { first: '198.18.128.0' })
  host.sh(`mkdir -p /var/log/squid; rm -f ${log}*`)
})

after(async () => {
  await ssh.close()
  await host?.down()
})

/** A line a second from 2026-11-21T00:00:00Z on: `n<second>.example`. */
const midnight = Date.UTC(2026, 10, 21)
const write = (file: string, from: number, count: number) =>
  host.sh(
    `perl -MPOSIX -e 'my ($from, $count) = @ARGV; for my $n ($from .. $from + $count - 1) {
my $t = strftime("%Y-%m-%dT%H:%M:%S", gmtime(${midnight / 1000} + $n));
print qq({"time":"$t.000Z","tenant":"client-a","client":"172.16.28.20","listener":"3128","method":"GET","host":"n$n.example","port":"80","path":"-","resolved":"-","egress":"-","status":"200","squid":"TCP_MISS","verdict":"allowed","rule":"allow:.example","revision":"1-00000000","bytesIn":"1","bytesOut":"2","ms":"3","agent":"-"}\\n) }' ${from} ${count} >>${file}
touch -d @${midnight / 1000 + from + count - 1} ${file}`,
  )

const read = async (sinceSecond: number, options = {}) => {
  const seen: number[] = []
  let bad = 0
  await readAudit(
    ssh,
    host.address,
    {
      ...{ log, since: midnight + sinceSecond * 1000, signal: new AbortController().signal, timeoutSeconds: 60 },
      ...options,
    },
    line => {
      const it = parseAuditLine(line)
      if (it) seen.push(Number(it.host.slice(1, -'.example'.length)))
      else if (line !== '') bad++
    },
  )
  return { seen, bad }
}

test('a host without a log says so', async () => {
  const error: unknown = await read(0).catch(error => error)
  assert.instance(error, Problem)
  assert.match((error as Problem).why, `there is no ${log}`)
})

test('rotated, compressed and current come in their order, each line once', async () => {
  write(`${log}.3`, 0, 1000)
  write(`${log}.2`, 1000, 1000)
  write(`${log}.1`, 2000, 1000)
  write(log, 3000, 1000)
  host.sh(`gzip ${log}.3 ${log}.2`)
  const { seen, bad } = await read(0)
  assert.is(bad, 0)
  assert.equal(
    seen,
    Array.from({ length: 4000 }, (_, n) => n),
  )
})

test('of what was before, ten minutes come along and files of before stay shut', async () => {
  const { seen } = await read(3900)
  assert.is(seen.at(-1), 3999)
  assert.ok(seen[0]! >= 2000 && seen[0]! <= 3300, `it begins with ${seen[0]}`)
  // Not opened: one that is damaged is not noticed.
  host.sh(`printf damaged >${log}.9.gz; touch -d @${midnight / 1000} ${log}.9.gz`)
  assert.is((await read(3900)).bad, 0)
  host.sh(`rm ${log}.9.gz`)
})

test('a file that is damaged is named, and the rest was handed over', async () => {
  host.sh(`cd /var/log/squid; gzip -c audit.log.1 | head -c 200 >audit.log.5.gz`)
  const lines: string[] = []
  const whole = { log, since: midnight, signal: new AbortController().signal, timeoutSeconds: 60 }
  const error: unknown = await readAudit(ssh, host.address, whole, it => lines.push(it)).catch(error => error)
  assert.instance(error, Problem)
  assert.match((error as Problem).why, `${log}.5.gz is damaged`)
  assert.ok(lines.filter(it => parseAuditLine(it)).length >= 4000)
  host.sh(`rm ${log}.5.gz`)
})

test('names that are no log are left alone, and links too', async () => {
  host.sh(`cd /var/log/squid; printf 'x\\n' >'audit.log.1 $(touch ran)'; printf 'x\\n' >'audit.log.1;touch ran'
printf 'x\\n' >"audit.log.1
2"; ln -s /etc/passwd audit.log.7; mkfifo audit.log.8`)
  const { seen, bad } = await read(0)
  assert.is(bad, 0)
  assert.is(seen.length, 4000)
  assert.is(host.sh('ls /var/log/squid/ran 2>/dev/null || echo none').trim(), 'none')
  host.sh(`cd /var/log/squid; rm -f audit.log.1?* audit.log.7 audit.log.8`)
})

test('a line that is still being written is not a bad one, and a cut one takes no other along', async () => {
  host.sh(`printf '{"time":"2026-11-21T01' >>${log}; printf '{"cut":"' >>${log}.1`)
  const { seen, bad } = await read(0)
  assert.is(seen.length, 4000)
  assert.is(bad, 1)
  host.sh(`truncate -s -22 ${log}; truncate -s -8 ${log}.1`)
})

test('a line of many megabytes costs no more than its beginning', async () => {
  host.sh(`{ head -c 30000000 /dev/zero | tr '\\0' x; echo; } >>${log}; touch -d @${midnight / 1000 + 4000} ${log}`)
  const { seen, bad } = await read(0)
  assert.is(seen.length, 4000)
  assert.is(bad, 1)
  host.sh(`truncate -s -30000001 ${log}`)
})

test('a log that is being rotated is neither missed nor read twice', async () => {
  for (let n = 0; n < 8; n++) {
    const reading = read(0)
    await sleep(n * 5)
    host.sh(`mv ${log}.1 ${log}.${20 + n}; mv ${log} ${log}.1; : >${log}; touch -d @${midnight / 1000 + 4000} ${log}`)
    const { seen, bad } = await reading
    assert.is(bad, 0)
    const twice = seen.length - new Set(seen).size
    assert.is(twice, 0, `${twice} lines twice`)
    host.sh(`mv ${log}.1 ${log}; mv ${log}.${20 + n} ${log}.1`)
  }
})

test('a big log takes neither the memory nor, from near its end, the time', async () => {
  host.sh(`rm -f ${log}*`)
  write(log, 0, 300_000)
  const before = process.memoryUsage.rss()
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - before)
  }, 20)
  let lines = 0
  let began = Date.now()
  const whole = { log, since: midnight, signal: new AbortController().signal, timeoutSeconds: 60 }
  await readAudit(ssh, host.address, whole, () => lines++)
  clearInterval(timer)
  const wholeMs = Date.now() - began
  assert.is(lines, 300_000)
  assert.ok(most < 64 * 1024 * 1024, `${most} bytes more than before`)
  began = Date.now()
  const { seen } = await read(299_990)
  const endMs = Date.now() - began
  assert.is(seen.at(-1), 299_999)
  assert.ok(seen.length < 2000 && seen.length >= 600, `${seen.length} lines`)
  assert.ok(endMs < wholeMs, `${endMs} ms for the end, ${wholeMs} ms for the whole`)
})

test('who stops waiting is not kept, and who does not answer is told', async () => {
  const stop = new AbortController()
  const reading = read(0, { signal: stop.signal })
  stop.abort(new Error('enough'))
  const stopped: unknown = await reading.catch(error => error)
  assert.match(String(stopped), /enough|aborted/)
  const nobody = { ...host.address, port: 9 }
  const error: unknown = await readAudit(
    ssh,
    nobody,
    { log, since: midnight, signal: new AbortController().signal, timeoutSeconds: 5 },
    () => {},
  ).catch(error => error)
  assert.instance(error, Unreachable)
})
