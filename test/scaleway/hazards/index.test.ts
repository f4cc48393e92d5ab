import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { root } from '../../inventory/edited.ts'
import { suite } from '../../support/suite.ts'
import { besides, hazards, type Shown } from './index.ts'

const { test } = suite('hazards')

const all = Object.values(hazards).flat()
const source = (file: string) => readFileSync(join(root, 'test', file), 'utf8')
const quoted = (text: string) => [`'${text}'`, `"${text}"`, `\`${text}\``]
const holds = (text: string, before: string, said: string) => quoted(said).some(it => text.includes(before + it))

test('every hazard is shown by a test of that name', () => {
  const missing = all.filter(({ file, title, row }) => {
    const text = source(file)
    const there = holds(text, 'test(', title) || holds(text, 'test(\n    ', title)
    return !there || (row !== undefined && !['when: ', 'what: '].some(it => holds(text, it, row)))
  })
  assert.equal(missing, [])
})

test('every test of a hazard is in the index', () => {
  const files = readdirSync(join(root, 'test/scaleway/hazards')).filter(it => /(?<!index)\.test\.ts$/.test(it))
  assert.ok(files.length > 8)
  const titles = files.flatMap(file =>
    [...source(`scaleway/hazards/${file}`).matchAll(/\btest\((['"`])(.+?)\1,/g)].map(([, , title]) => title!),
  )
  assert.equal(
    titles.filter(it => !all.some(({ title }) => title === it)),
    [],
  )
})

test('no hazard is named twice', () => {
  const names = all.map(it => it.hazard)
  assert.equal(
    names.filter((it, at) => names.indexOf(it) !== at),
    [],
  )
})

const line = ({ hazard, file }: Shown) => `- ${hazard} ([${file.split('/').at(-1)}](../test/${file}))`

test('docs/hazards.md lists them', () => {
  const path = join(root, 'docs/hazards.md')
  const text = [
    '# What bites at Scaleway',
    '',
    'Every line is a property of the APIs that breaks a provisioner which does not know it, and a test of that name or',
    'in that place which shows that ours does. This page is written by that index: `UPDATE=1 node',
    'test/scaleway/hazards/index.test.ts`.',
    ...Object.entries(hazards).flatMap(([section, shown]) => ['', `## ${section}`, '', ...shown.map(line)]),
    '',
    '## Not met',
    '',
    ...Object.entries(besides).map(([hazard, why]) => `- ${hazard}: ${why}`),
    '',
  ].join('\n')
  if (process.env.UPDATE) writeFileSync(path, text)
  assert.is(readFileSync(path, 'utf8'), text)
})
