import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { Problem } from '../../src/engine/problem.ts'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { renderText } from '../../src/hosts/template.ts'
import { makeHost, type TestHost } from '../support/host.ts'
import { file, quiet } from '../support/plays.ts'
import { suite } from '../support/suite.ts'

const { test, before, after } = suite('hostile values on a real host')
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 20 })
let host: TestHost

before(async () => {
  host = await makeHost(27)
})
after(async () => {
  await ssh.close()
  await host?.down()
})

/** Random text of what shells, YAML and squid.conf make something of; never NUL, which no shell carries. */
const hostile = (): string => {
  const marks = [
    ...`'"\`$(){}[]<>|&;#!*?~%\\=:,-@^ \t\n\r`,
    '$(touch /root/owned)',
    '\n- x: 1\n',
    'B64\n',
    'é',
    '\u2028',
    'a',
  ]
  return [...randomBytes(40)].map(it => marks[it % marks.length]!).join('')
}
const values = [...Array.from({ length: 100 }, hostile), 'x'.repeat(1e6), '', "'", '\\', '\n', '-n', 'KE_REVERT\n']

test('every value arrives as it is: in a shell, in YAML, once and not twice', async () => {
  const script = renderText(
    'it',
    "#!/bin/sh\n<% for (const it of values) { -%>\nprintf '%s\\000' <%= shell(it) %>\n<% } -%>\n",
    {
      values,
    },
  )
  const want: HostPlay = {
    host: host.address,
    tasks: [
      file('/usr/local/bin/values', script, { mode: '0755' }),
      file('/etc/values.yaml', renderText('it', 'values: <%= yaml(values) %>\n', { values })),
    ],
    handlers: {},
  }
  const seen = await hostPlay.read(want, { ssh }, quiet)
  await hostPlay.apply(want, { ssh }, seen, quiet)
  // This runs on the host by its own sh; sizes of answers are limited, so the host compares.
  const printed = Buffer.from(host.sh('/usr/local/bin/values | gzip -1 | base64 -w0'), 'base64')
  assert.equal(gunzipSync(printed).toString().split('\0').slice(0, -1), values)
  const yaml = gunzipSync(Buffer.from(host.sh('gzip -1 </etc/values.yaml | base64 -w0'), 'base64')).toString()
  assert.equal(parse(yaml).values, values)
  assert.is(host.sh('ls -A /root'), '')
  assert.is(hostPlay.diff(want, await hostPlay.read(want, { ssh }, quiet)), null)
})

test('NUL goes into no shell, and into YAML only by its escape', () => {
  assert.throws(
    () => renderText('it', '<%= shell(a) %>', { a: 'x\0y' }),
    (it: unknown) => it instanceof Problem && /it\.ejs:1:5: .*NUL/.test(it.why),
  )
  assert.is(renderText('it', '<%= yaml(a) %>', { a: 'x\0y' }), '"x\\u0000y"')
})
