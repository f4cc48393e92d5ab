import * as assert from 'uvu/assert'
import { addressOf, hostOf, lookups, nameOf, suffixKind } from '../../src/policy/name.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('policy names')

for (const [text, name] of [
  ['x.test', 'x.test'],
  ['.x.test', '.x.test'],
  ['X.Test.', 'x.test'],
  ['.X.TEST.', '.x.test'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BU\u0308CHER.example', 'xn--bcher-kva.example'],
  ['faß.example', 'xn--fa-hia.example'],
  ['a。b.example', 'a.b.example'],
  ['ａｐｉ.example', 'api.example'],
  ['_acme.x_y.example', '_acme.x_y.example'],
  [`${'a'.repeat(63)}.test`, `${'a'.repeat(63)}.test`],
  ['10.example', '10.example'],
] as const)
  test(`domain ${text}`, () => assert.equal(nameOf(text), { name }))

for (const [text, says] of [
  ['https://x.test', /no scheme/],
  ['*.x.test', /\.x\.test stands for/],
  ['x.test:8443', /ports: \[8443\]/],
  ['x.test/path', /not a host name/],
  ['u@x.test', /not a host name/],
  ['a b.test', /not a host name/],
  ['x.test\nall', /not a host name/],
  ['x.te\u0000st', /not a host name/],
  ['x%2etest', /not a host name/],
  ['', /not a host name/],
  ['.', /not a host name/],
  ['a..b', /"" cannot be/],
  ['..x.test', /"" cannot be/],
  ['x.test..', /"" cannot be/],
  ['-a.test', /"-a" cannot be/],
  [`${'a'.repeat(64)}.test`, /cannot be/],
  [`${'a.'.repeat(126)}test`, /253/],
  ['10.0.0.1', /write address:/],
  ['127.1', /write address:/],
  ['0x7f000001', /write address:/],
  ['x.0x1', /not a host name/],
  ['１２７.0.0.1', /write address:/],
  ['::1', /write address:/],
  ['[2001:db8::1]', /write address:/],
] as const)
  test(`no domain: ${JSON.stringify(text)}`, () => {
    const it = nameOf(text)
    assert.match('why' in it ? `${it.why} ${it.next}` : it.name, says)
    assert.not('name' in it)
  })

for (const [text, address] of [
  ['203.0.113.9', '203.0.113.9'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['010.0.0.1', null],
  ['10.1', null],
  ['fe80::1%eth0', null],
  ['x.test', null],
] as const)
  test(`address ${text}`, () => assert.is(addressOf(text), address))

for (const [text, host] of [
  ['X.Test', 'x.test'],
  ['x.test.', 'x.test'],
  ['localhost', 'localhost'],
  ['203.0.113.9', '203.0.113.9'],
  ['2001:DB8::1', '2001:db8::1'],
  ['x.test..', null],
  ['.x.test', null],
  ['', null],
  ['a..b', null],
  ['127.1', null],
  ['2130706433', null],
  ['0x7f.1', null],
  ['0177.0.0.1', null],
  ['1.2.3.4.', null],
  ['::ffff:203.0.113.9', null],
  ['bücher.example', null],
  ['x%2etest', null],
  [`${'a'.repeat(64)}.test`, null],
] as const)
  test(`host ${JSON.stringify(text)} of a request`, () => assert.is(hostOf(text), host))

for (const [name, kind] of [
  ['.com', 'icann'],
  ['.co.uk', 'icann'],
  ['co.uk', 'icann'],
  ['.anything.ck', 'icann'],
  ['.example', 'icann'],
  ['.github.io', 'private'],
  ['.me.github.io', null],
  ['.partner.example', null],
  ['.gov', 'icann'],
] as const)
  test(`public suffix ${name}`, () => assert.is(suffixKind(name), kind))

test('the nearest name is looked up first', () => {
  assert.equal(lookups('a.b.example'), ['a.b.example', '.a.b.example', '.b.example', '.example'])
  assert.equal(lookups('203.0.113.9'), ['203.0.113.9'])
})
