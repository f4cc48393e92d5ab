import * as assert from 'uvu/assert'
import { type Evidence, type Finding, verdictOf } from '../../src/report/evidence.ts'
import { evidencePage } from '../../src/report/evidence-page.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('report/evidence')

const finding = (verdict: Finding['verdict']): Finding => ({ verdict, why: '' })

test('one failure is a failure, what nobody could say is no proof, and nothing asked neither', () => {
  const of = (...all: Finding['verdict'][]) => verdictOf(all.map(finding)).verdict
  assert.equal(
    [of('holds', 'holds'), of('holds', 'unclear'), of('holds', 'unclear', 'fails'), of()],
    ['holds', 'unclear', 'fails', 'unclear'],
  )
})

const evil = `"><script>alert(1)</script>'&`
const made: Evidence = {
  ...{ format: 'kapsule-egress-evidence/1', tenant: evil, context: evil, verdict: 'fails' },
  counts: { asked: 3, hold: 1, fail: 1, unclear: 1 },
  ...{ began: '2026-11-21T10:00:00.000Z', ended: evil },
  madeBy: { user: evil, host: evil, software: evil, node: evil, command: evil },
  inventory: { sha256: evil, files: [{ file: evil, sha256: evil }] },
  policy: { mode: evil, rules: 1, sha256: evil },
  asked: { namespace: evil, workload: evil, pod: evil, node: evil },
  proxies: [{ name: evil, fixedAddress: evil, facts: null, problem: evil, verdict: 'unclear', why: evil }],
  namespaces: [{ namespace: evil, found: [{ object: evil, what: evil, why: evil }], verdict: 'holds', why: evil }],
  addresses: [{ service: evil, by: evil, expected: [evil], seen: evil, verdict: 'fails', why: evil }],
  samples: [
    {
      ...{ kind: evil, method: evil, url: evil, by: evil, expected: evil, because: evil, seen: evil },
      ...{ logged: { verdict: evil, rule: evil, revision: evil }, verdict: 'holds', why: evil },
    },
  ],
}

test('nothing that others wrote is markup, and the page asks for nothing', () => {
  const page = evidencePage(made, evil)
  assert.not.match(page, /<script|onerror|src=|href="http/)
  assert.ok(page.includes('&#60;script&#62;'))
  assert.match(page, /default-src 'none'/)
  assert.match(page, /1 hold, 1 do not, 1 unclear/)
  assert.is(page.match(/<li>/g)?.length, 2, 'what does not hold, and what is unclear, come first')
})
