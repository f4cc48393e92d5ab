import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from './support/suite.ts'

const { test } = suite('imports point one way')
const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What each room may import of ours, besides itself. */
const mayImport: Record<string, string[]> = {
  scripts: ['src/cli'],
  'src/cli': [
    'playbooks',
    'src/inventory',
    'src/policy',
    'src/scaleway',
    'src/hosts',
    'src/rollout',
    'src/report',
    'src/engine',
    'src/sandbox',
  ],
  playbooks: ['src/scaleway', 'src/hosts', 'src/rollout', 'src/inventory', 'src/policy', 'src/engine'],
  'src/inventory': ['src/policy', 'src/engine'],
  'src/policy': ['src/engine'],
  'src/scaleway': ['src/engine'],
  'src/hosts': ['src/policy', 'src/engine'],
  'src/rollout': ['src/engine'],
  'src/report': ['src/policy', 'src/engine'],
  'src/engine': [],
  'src/sandbox': [],
}

/** Floors inside of a room, from the ground up: each may import those below it. Its other files are the roof. */
const floors: Record<string, string[]> = {
  'src/sandbox/kubernetes': ['objects', 'admission', 'api', 'controllers', 'nodes', 'wire'],
  'src/cli': ['rollout', 'commands'],
}

/** Floors that know the files beside them, too. */
const open = ['src/cli/rollout', 'src/cli/commands']

/** Single doors, where a whole room would be too much. */
const doors: [file: string, target: string][] = [['src/cli/start.mjs', 'src/sandbox/main.ts']]

const roomOf = (file: string) => Object.keys(mayImport).find(room => file.startsWith(`${room}/`))

const filesIn = (room: string) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter(it => /\.(ts|mjs)$/.test(it))
    .map(it => join(room, it))

export const importsOf = (text: string): { line: number; path: string }[] =>
  text
    .split('\n')
    .flatMap((source, at) =>
      [...source.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)].map(it => ({ line: at + 1, path: it[1]! })),
    )

const targetsOf = (file: string): string[] =>
  importsOf(readFileSync(join(root, file), 'utf8')).map(({ path }) => relative(root, join(root, dirname(file), path)))

/** The files of one circle of imports, types counted; none: empty. What imports nothing that is left is in no circle. */
const circleIn = (imports: ReadonlyMap<string, readonly string[]>): string[] => {
  const left = new Map(imports)
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [file, targets] of left) if (!targets.some(it => left.has(it))) left.delete(file)
  }
  const path: string[] = []
  let file = left.keys().next().value
  while (file !== undefined && !path.includes(file)) {
    path.push(file)
    file = left.get(file)!.find(it => left.has(it))
  }
  return file === undefined ? [] : path.slice(path.indexOf(file))
}

const forbidden = (file: string, text: string): string[] =>
  importsOf(text).flatMap(({ line, path }) => {
    const target = relative(root, join(root, dirname(file), path))
    const [from, to] = [roomOf(file), roomOf(target)]
    if (
      from === to ||
      (from &&
        to &&
        mayImport[from]!.includes(to) &&
        (to !== 'src/sandbox' || doors.some(it => it[0] === file && it[1] === target)))
    )
      return []
    return [`${file}:${line} imports ${target}`]
  })

test('every room imports only what is below it', () => {
  const files = Object.keys(mayImport).flatMap(filesIn)
  assert.ok(files.length > 100, `${files.length} files were read`)
  assert.equal(
    files.flatMap(file => forbidden(file, readFileSync(join(root, file), 'utf8'))),
    [],
  )
})

const upwards = (room: string, file: string, targets: readonly string[]): string[] => {
  const levels = floors[room]!
  const floorOf = (it: string) => {
    const [first = ''] = relative(room, it).split('/')
    return levels.includes(first) ? levels.indexOf(first) : levels.length
  }
  const mine = floorOf(file)
  const isOpen = open.includes(join(room, levels[mine] ?? ''))
  return targets
    .filter(it => it.startsWith(`${room}/`) && floorOf(it) > mine && !(isOpen && floorOf(it) === levels.length))
    .map(it => `${file} imports ${it}`)
}

test('inside of a room imports lead down', () => {
  for (const room of Object.keys(floors)) {
    const files = filesIn(room)
    assert.ok(files.length > 50, `${room}: ${files.length} files were read`)
    assert.equal(
      files.flatMap(file => upwards(room, file, targetsOf(file))),
      [],
    )
  }
  const room = 'src/sandbox/kubernetes'
  const up = [`${room}/wire/http.ts`, `${room}/cluster.ts`]
  assert.is(upwards(room, `${room}/nodes/kubelet.ts`, up).length, 2)
  assert.is(
    upwards('src/cli', 'src/cli/rollout/run.ts', ['src/cli/commands/deploy.ts', 'src/cli/session.ts']).length,
    1,
  )
})

test('a wrong import is found, whatever its form', () => {
  const line = "import { x } from '../rollout/kube.ts'"
  assert.equal(forbidden('src/scaleway/x.ts', line), ['src/scaleway/x.ts:1 imports src/rollout/kube.ts'])
  assert.equal(forbidden('src/sandbox/x.ts', `\nawait import("../engine/json.ts")`), [
    'src/sandbox/x.ts:2 imports src/engine/json.ts',
  ])
  assert.equal(forbidden('src/cli/main.ts', "import { main } from '../sandbox/main.ts'"), [
    'src/cli/main.ts:1 imports src/sandbox/main.ts',
  ])
  assert.equal(forbidden('src/rollout/gates/x.ts', "import '../../engine/json.ts'"), [])
})

test('no file imports, by however many others, itself', () => {
  const files = Object.keys(mayImport).flatMap(filesIn)
  const imports = new Map(files.map(file => [file, targetsOf(file)]))
  assert.ok([...imports.values()].flat().filter(it => imports.has(it)).length > 1000)
  assert.equal(circleIn(imports), [])
})

for (const { when, imports, circle } of [
  { when: 'a chain', imports: { a: ['b'], b: ['c', 'd'], c: ['d'], d: [] }, circle: [] },
  { when: 'itself', imports: { a: ['a'] }, circle: ['a'] },
  {
    when: 'three behind a chain',
    imports: { a: ['x', 'b'], b: ['c'], c: ['d', 'x'], d: ['b'], x: [] },
    circle: ['b', 'c', 'd'],
  },
])
  test(`a circle is named: ${when}`, () => assert.equal(circleIn(new Map(Object.entries(imports))), circle))
