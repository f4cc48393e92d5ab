import * as assert from 'uvu/assert'
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
  { when: 'a word of squid.conf', text: '<%= squid(a) %>', data: { a: '172.16.0.0/12' }, gives: '172.16.0.0/12' },
]

for (const { when, text, data, gives } of good) test(when, () => assert.is(renderText('it', text, data), gives))

const bad: { when: string; text: string; data: Record<string, unknown>; says: RegExp }[] = [
  { when: 'an unknown name', text: 'one\n<%= nope %>', data: {}, says: /it\.ejs:2[\s\S]*nope is not/ },
  {
    when: 'an unknown member',
    text: '\n\n<%= a.b %>',
    data: { a: {} },
    says: /it\.ejs:3[\s\S]*b is not in the data\.a/,
  },
  {
    when: 'an unknown member in a condition',
    text: '<% if (a.b) { %>x<% } %>',
    data: { a: {} },
    says: /it\.ejs:1[\s\S]*b is not in/,
  },
  { when: 'undefined', text: '<%= a %>', data: { a: undefined }, says: /it\.ejs:1[\s\S]*undefined/ },
  { when: 'null', text: '<%= a %>', data: { a: null }, says: /it\.ejs:1[\s\S]*null/ },
  { when: 'an object', text: '<%= a %>', data: { a: {} }, says: /object/ },
  { when: 'a list', text: '<%= a %>', data: { a: [] }, says: /list/ },
  { when: 'NaN', text: '<%= a %>', data: { a: Number.NaN }, says: /no number/ },
  { when: 'raw output', text: 'x\n<%- a %>', data: { a: 'x' }, says: /it\.ejs:2: <%-/ },
  { when: 'a close without an open', text: '<%= a %>\n"%>Hs"', data: { a: 'x' }, says: /it\.ejs:2: %> closes nothing/ },
  { when: 'broken syntax', text: '<% if ( { %>', data: {}, says: /./ },
  {
    when: 'a newline for squid',
    text: '<%= squid(a) %>',
    data: { a: 'x\nhttp_access allow all' },
    says: /cannot be a word/,
  },
  { when: 'a blank for squid', text: '<%= squid(a) %>', data: { a: 'x y' }, says: /cannot be a word/ },
  { when: 'a quote for squid', text: '<%= squid(a) %>', data: { a: 'x"' }, says: /cannot be a word/ },
  { when: 'a comment for squid', text: '<%= squid(a) %>', data: { a: '#' }, says: /cannot be a word/ },
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
