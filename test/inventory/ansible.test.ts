import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Problem } from '../../src/engine/problem.ts'
import { hostsNamed } from '../../src/inventory/ansible/hostnames.ts'
import { listOf } from '../../src/inventory/ansible/list.ts'
import { literal } from '../../src/inventory/ansible/literal.ts'
import { readAnsible } from '../../src/inventory/ansible/read.ts'
import { suite } from '../support/suite.ts'

const { test, after } = suite('inventories of Ansible')
const files = fileURLToPath(new URL('./ansible-files/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ansible-inventory-'))
after(() => rmSync(folder, { recursive: true }))

const real = (path: string) =>
  JSON.parse(execFileSync('ansible-inventory', ['-i', path, '--list'], { encoding: 'utf8' }))
const present = spawnSync('ansible-inventory', ['--version']).status === 0
if (!present) console.log('- ansible-inventory is not installed: what it said once is compared, not what it says')

for (const name of ['ini/hosts', 'hosts.yml', 'folder'])
  test(`${name} means what the real ansible-inventory says`, () => {
    const golden = join(files, `../../golden/ansible-${name.replace('/', '-')}.json`)
    if (process.env.UPDATE) writeFileSync(golden, `${JSON.stringify(real(join(files, name)), null, 2)}\n`)
    const ours = JSON.parse(JSON.stringify(listOf(readAnsible(join(files, name)))))
    assert.equal(ours, JSON.parse(readFileSync(golden, 'utf8')))
    if (present) assert.equal(ours, real(join(files, name)))
  })

for (const { pattern, names, port } of [
  { pattern: 'a', names: ['a'] },
  { pattern: 'a:22', names: ['a'], port: 22 },
  { pattern: 'w[01:03].x', names: ['w01.x', 'w02.x', 'w03.x'] },
  { pattern: 'w[:2]', names: ['w0', 'w1', 'w2'] },
  { pattern: 'w[1:10:4]:22', names: ['w1', 'w5', 'w9'], port: 22 },
  { pattern: '[a:c][1:2]', names: ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'] },
  { pattern: '[2001:db8::1]:22', names: ['2001:db8::1'], port: 22 },
] as { pattern: string; names: string[]; port?: number }[])
  test(`hosts ${pattern}`, () => assert.equal(hostsNamed(pattern), { names, ...(port && { port }) }))

for (const pattern of ['w[1:]', 'w[3:1]', 'w[01:100]', 'w[1:2:0]', 'w[1]', 'w[a:3]', 'w[1:99999999]', '[1:999][1:999]'])
  test(`hosts ${pattern} are refused`, () => assert.throws(() => hostsNamed(pattern)))

for (const [text, value] of [
  ['7', 7],
  ['-1.5', -1.5],
  ['True', true],
  ['true', 'true'],
  ['0644', '0644'],
  ['192.0.2.1', '192.0.2.1'],
  ["'a b'", 'a b'],
  ['[1, "x",]', [1, 'x']],
  ["{'a': (1,), 'b': None}", { a: [1], b: null }],
  ['(1)', 1],
  ['[1', '[1'],
  ['a b', 'a b'],
  ['1 2', '1 2'],
  ['', ''],
  ['12345678901234567890', '12345678901234567890'],
] as const)
  test(`the value ${text}`, () => assert.equal(literal(text), value))

const bad: { when: string; file: string; text: string; says: RegExp }[] = [
  {
    when: 'a range without end',
    file: 'hosts',
    text: 'ok\n[web]\nw[1:]\n',
    says: /hosts:3: .*\| the range \[1:\] has no end/,
  },
  { when: 'a word that is no variable', file: 'hosts', text: 'a b\n', says: /hosts:1: .*\| b is no name=value/ },
  { when: 'an open quote', file: 'hosts', text: 'a b="c\n', says: /hosts:1: .*not closed/ },
  { when: 'an unknown kind of section', file: 'hosts', text: '[a:hots]\n', says: /hosts:1: .*:children or :vars/ },
  { when: 'a group nobody declared', file: 'hosts', text: '[a:children]\nb\n', says: /hosts:2: .*no section \[b\]/ },
  { when: 'variables of no group', file: 'hosts', text: '[a:vars]\nb=1\n', says: /hosts:1: .*no section \[a\]/ },
  {
    when: 'groups in a circle',
    file: 'hosts',
    text: '[a:children]\nb\n[b:children]\na\n',
    says: /hosts:4: .*a is above b/,
  },
  {
    when: 'a wrong word in YAML',
    file: 'h.yml',
    text: 'all:\n  host:\n    a:\n',
    says: /h\.yml:2: all\.host .*hosts, children/,
  },
  { when: 'an alias in itself', file: 'h.yml', text: 'all:\n  hosts: &a\n    x: *a\n', says: /h\.yml:1: .*aliases/ },
  {
    when: 'aliases of aliases',
    file: 'h.yml',
    text: `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((it, n) => `${it}: &${it} [${Array(9).fill(`*${'abcdefg'[n]}`)}]\n`).join('')}`,
    says: /h\.yml:1: .*aliases/,
  },
  { when: 'a file that is no text', file: 'hosts', text: '\0\u0001binary\n', says: /hosts:1: .*control character/ },
  { when: 'broken YAML', file: 'h.yml', text: 'all:\n  hosts: [\n', says: /h\.yml:\d: / },
  {
    when: 'a list for hosts',
    file: 'h.yml',
    text: 'all:\n  hosts: [a]\n',
    says: /h\.yml:2: all\.hosts .*names with values/,
  },
  { when: 'a plugin', file: 'h.yml', text: 'plugin: amazon.aws.aws_ec2\n', says: /configures a plugin/ },
  { when: 'a vault', file: 'h.yml', text: '$ANSIBLE_VAULT;1.1;AES256\n31\n', says: /is encrypted/ },
  { when: 'a program', file: 'h', text: '#!/bin/sh\ntouch /tmp/never\n', says: /is a program/ },
]
for (const [at, { when, file, text, says }] of bad.entries())
  test(`${when} is refused with its place`, () => {
    const path = join(folder, String(at), file)
    mkdirSync(dirname(path))
    writeFileSync(path, text)
    try {
      readAnsible(path)
    } catch (error) {
      const it = error as Problem
      assert.instance(it, Problem)
      assert.is(it.exit, 2)
      return assert.match(`${it.message} | ${it.why}`, says)
    }
    assert.unreachable('it was read')
  })

test('what may be executed is not read, and what is not there is said', () => {
  const path = join(folder, 'script')
  writeFileSync(path, 'a\n')
  chmodSync(path, 0o755)
  for (const it of [path, join(folder, 'nowhere')])
    assert.throws(
      () => readAnsible(it),
      (error: unknown) => error instanceof Problem && error.exit === 2,
    )
})

test('5000 hosts in a moment', () => {
  const path = join(folder, 'many')
  writeFileSync(path, '[web]\nw[0001:5000].example x=1\n[all:vars]\ny=2\n')
  const began = Date.now()
  const { _meta } = listOf(readAnsible(path))
  assert.is(Object.keys(_meta.hostvars).length, 5000)
  assert.equal(_meta.hostvars['w5000.example'], { x: 1, y: 2 })
  assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`)
})
