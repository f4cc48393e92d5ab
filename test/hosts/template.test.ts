import { execFileSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { Problem } from '../../src/engine/problem.ts'
import { renderText } from '../../src/hosts/template.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('templates')

const good: { when: string; text: string; data: Record<string, unknown>; gives: string }[] = [
  { when: 'plain values', text: '<%= a %> <%= b %> <%= c %>', data: { a: 'x', b: 7, c: true }, gives: 'x 7 true' },
  { when: 'HTML characters stay', text: '<%= a %>', data: { a: `<&>"'` }, gives: `<&>"'` },
  {
    when: 'lists are walked',
    text: '<% for (const it of a) { %><%= it.b %>;<% } %>',
    data: { a: [{ b: 1 }, { b: 2 }] },
    gives: '1;2;',
  },
  { when: 'a shell word', text: '<%= shell(a) %>', data: { a: "it's $(x)\n" }, gives: "'it'\\''s $(x)\n'" },
  { when: 'a literal %>', text: '<%= a %>\n"%%>Hs"', data: { a: 'x' }, gives: 'x\n"%>Hs"' },
  { when: 'YAML', text: '<%= yaml(a) %>', data: { a: ['"', { b: 'c: d\n' }] }, gives: '["\\"",{"b":"c: d\\n"}]' },
  { when: 'an address for ufw', text: '<%= ufw(a) %>', data: { a: '2001:db8::/32' }, gives: '2001:db8::/32' },
  { when: 'a word of squid.conf', text: '<%= squid(a) %>', data: { a: '172.16.0.0/12' }, gives: '172.16.0.0/12' },
]

for (const { when, text, data, gives } of good) test(when, () => assert.is(renderText('it', text, data), gives))

const bad: { when: string; text: string; data: Record<string, unknown>; says: RegExp }[] = [
  { when: 'an unknown name', text: 'one\n<%= nope %>', data: {}, says: /it\.ejs:2:5: nope is not/ },
  {
    when: 'an unknown member',
    text: '\n\n<%= a.b %>',
    data: { a: {} },
    says: /it\.ejs:3:7: b is not in the data\.a/,
  },
  {
    when: 'an unknown member in a condition',
    text: '<% if (a.b) { %>x<% } %>',
    data: { a: {} },
    says: /it\.ejs:1:10: b is not in/,
  },
  { when: 'undefined', text: '<%= a %>', data: { a: undefined }, says: /it\.ejs:1:5: a is undefined in the data/ },
  { when: 'null', text: '<%= a %>', data: { a: null }, says: /it\.ejs:1:5: [\s\S]*null/ },
  { when: 'an object', text: '<%= a %>', data: { a: {} }, says: /object/ },
  { when: 'a list', text: '<%= a %>', data: { a: [] }, says: /list/ },
  { when: 'NaN', text: '<%= a %>', data: { a: Number.NaN }, says: /no number/ },
  { when: 'raw output', text: 'x\n<%- a %>', data: { a: 'x' }, says: /it\.ejs:2:1: <%-/ },
  {
    when: 'a close without an open',
    text: '<%= a %>\n"%>Hs"',
    data: { a: 'x' },
    says: /it\.ejs:2:2: %> closes nothing/,
  },
  { when: 'broken syntax', text: 'x\n  <% if ( { %>', data: {}, says: /it\.ejs:2:\d+: Unexpected token/ },
  {
    when: 'a newline for squid',
    text: '<%= squid(a) %>',
    data: { a: 'x\nhttp_access allow all' },
    says: /cannot be a word/,
  },
  { when: 'a blank for squid', text: '<%= squid(a) %>', data: { a: 'x y' }, says: /cannot be a word/ },
  { when: 'a quote for squid', text: '<%= squid(a) %>', data: { a: 'x"' }, says: /cannot be a word/ },
  { when: 'a comment for squid', text: '<%= squid(a) %>', data: { a: '#' }, says: /cannot be a word/ },
  { when: 'an option for squid', text: '<%= squid(a) %>', data: { a: '-i' }, says: /cannot be a word/ },
  { when: '1 MB for squid', text: '<%= squid(a) %>', data: { a: 'x'.repeat(1e6) }, says: /too long.*1000000/ },
  { when: 'an option for ufw', text: '<%= ufw(a) %>', data: { a: '-j' }, says: /cannot be a word in a rule of ufw/ },
  { when: 'a quote for ufw', text: '<%= ufw(a) %>', data: { a: "x'" }, says: /cannot be a word/ },
  {
    when: 'a value with a line break that nobody escaped',
    text: 'a\n  <%= a %> <%= b %>',
    data: { a: 'x', b: 'x\nhttp_access allow all' },
    says: /it\.ejs:2:16: .*line break/,
  },
  { when: 'a later tag on a line', text: '<%= a %> <%= a %> <%= nope %>', data: { a: 1 }, says: /it\.ejs:1:23: nope/ },
  {
    when: 'a name inside a loop over lines',
    text: '<% for (const it of a) { -%>\n<%= it.b %>\n<% if (it.c\n  && it.d) { %>x<% } %>\n<% } -%>',
    data: { a: [{ b: 1, c: true }] },
    says: /it\.ejs:4:9: d is not in the data\.a\.0/,
  },
  { when: 'a misspelt name in an expression', text: '<%= shell(a) + shell(bb) %>', data: { a: 1 }, says: /1:22: bb/ },
  { when: 'the clock', text: '<%= Date.now() %>', data: {}, says: /1:5: Date is not in the data/ },
  { when: 'chance', text: '<%= Math.random() %>', data: {}, says: /Math is not in the data/ },
  { when: 'the environment', text: '<%= process.env.HOME %>', data: {}, says: /process is not in the data/ },
  { when: 'what objects inherit', text: '<%= constructor %>', data: {}, says: /constructor is not in the data/ },
  { when: 'a change of the data', text: '<% a.sort() %>', data: { a: [2, 1] }, says: /cannot change/ },
  { when: 'a new name in the data', text: '<% b = 1 %>', data: {}, says: /cannot change b/ },
  { when: 'a partial outside', text: "<%= include('../x') %>", data: {}, says: /1:5: .*no name of a template/ },
  { when: 'nothing for squid', text: '<%= squid(a) %>', data: { a: '' }, says: /cannot be a word/ },
  { when: 'NUL for the shell', text: '<%= shell(a) %>', data: { a: 'x\0' }, says: /NUL/ },
]

for (const { when, text, data, says } of bad)
  test(`${when} is refused`, () => {
    try {
      renderText('it', text, data)
    } catch (error) {
      assert.instance(error, Problem)
      return assert.match((error as Problem).why, says)
    }
    assert.unreachable('it was rendered')
  })

const hostile = `it's "x" $(id) \`id\` \\ \n\t# ${'y'.repeat(1e6)}`

test('a hostile megabyte comes through a shell as it is', () => {
  const script = renderText('it', 'printf %s <%= shell(a) %>', { a: hostile })
  assert.is(execFileSync('sh', ['-s'], { input: script, encoding: 'utf8', maxBuffer: 1e7 }), hostile)
})

test('and through YAML', () =>
  assert.equal(parse(renderText('it', 'a: <%= yaml(a) %>', { a: hostile })), { a: hostile }))

const parts: Record<string, string> = {
  'parts/head': '# <%= squid(name) %>\n',
  'parts/bad': 'x\n <%= nope %>',
  'parts/round': "<%= include('parts/round') %>",
}
const withParts = (text: string, data: Record<string, unknown>) => renderText('it', text, data, path => parts[path]!)

test('a partial sees the data, and what it is handed', () => {
  assert.is(withParts("<%= include('parts/head') -%>\nx", { name: 'a' }), '# a\nx')
  assert.is(withParts("<%= include('parts/head', { name: 'b' }) -%>\nx", { name: 'a' }), '# b\nx')
})

for (const { part, says } of [
  { part: 'bad', says: /^parts\/bad\.ejs:2:6: nope/ },
  { part: 'round', says: /includes itself/ },
])
  test(`the partial ${part} is refused at its own place`, () =>
    assert.throws(
      () => withParts(`<%= include('parts/${part}') %>`, {}),
      (it: unknown) => it instanceof Problem && it.exit === 2 && says.test(it.why),
    ))

test('the same data gives the same text, and is not changed', () => {
  const data = Object.freeze({ a: Object.freeze(['x', 'y']) })
  const text = '<% for (const it of a) { -%>\n<%= it %>\n<% } -%>'
  assert.is(renderText('it', text, data), renderText('it', text, data))
  assert.is(renderText('it', text, data), 'x\ny\n')
})

test('a Problem carries its place as data', () => {
  try {
    renderText('it', 'a\n<%= nope %>', {})
  } catch (error) {
    return assert.equal((error as Problem).at, { file: 'templates/it.ejs', line: 2, column: 5 })
  }
  assert.unreachable('it was rendered')
})
