import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const { test, after } = suite('inventory --from')
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = mkdtempSync(join(tmpdir(), 'egress-from-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'hosts'), '[web]\na ansible_host=192.0.2.1 ansible_become_password=Tr0ub4dor\nb\n')

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'scripts/inventory.mjs'), '--from', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })

test('tells what Ansible would see, from where one stands, without its passwords', () => {
  const { status, stdout, stderr } = run('hosts', '--list')
  assert.is(status, 0, stderr)
  assert.equal(JSON.parse(stdout), {
    _meta: { hostvars: { a: { ansible_host: '192.0.2.1', ansible_become_password: '(hidden)' } } },
    all: { children: ['ungrouped', 'web'] },
    web: { hosts: ['a', 'b'] },
  })
  assert.not.match(stderr, 'sandbox')
})

test('and one host of it', () => {
  assert.equal(JSON.parse(run('hosts', '--host', 'b').stdout), {})
  const { status, stderr } = run('hosts', '--host', 'c')
  assert.is(status, 2)
  assert.match(stderr, 'the hosts are a, b')
})

test('a mistake ends with 2 and its line', () => {
  writeFileSync(join(folder, 'bad'), 'a\nb c\n')
  const { status, stderr } = run('bad', '--list')
  assert.is(status, 2)
  assert.match(stderr, 'bad:2')
})
