import * as assert from 'uvu/assert'
import { hostnameOf } from '../../../src/sandbox/machines/hostname.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('sandbox machines: host names')

for (const [name, host] of [
  ['proxy-client-a', 'proxy-client-a'],
  ['Test_Of.IPAM', 'Test-Of.IPAM'],
  ['-été-', 't'],
  ['__', 'host'],
  ['a'.repeat(80), 'a'.repeat(63)],
] as const)
  test(`${name} is called ${host}`, () => assert.is(hostnameOf(name), host))
