import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { credentials, openProject } from './project.ts'
import { provoke } from './provoke.ts'
import { type Outcome, recording, replay } from './replay.ts'

const { test } = suite('replay of recorded interactions', { seconds: 300 })

const mnq = 'POST /mnq/v1beta1/regions/fr-par/activate-sqs'
const group = 'POST /iam/v1alpha1/groups/{group:1}/remove-member'
const secret = 'DELETE /secret-manager/v1beta1/regions/fr-par/secrets/{secret:1}'
const metal = 'POST /baremetal/v1/zones/fr-par-2/servers'

/** What the emulator does not answer as recorded, and why. */
const unmatched: { cassette: string; ask: string; reason: string }[] = [
  { cassette: 'errors-collected', ask: mnq, reason: 'Messaging and Queuing is no service of ours' },
  { cassette: 'errors-collected', ask: group, reason: 'of IAM we use the keys, not the groups' },
  { cassette: 'errors-collected', ask: secret, reason: 'Secret Manager is no service of ours' },
  { cassette: 'errors-collected', ask: metal, reason: 'Elastic Metal is no service of ours' },
]

const isWrong = (name: string) => (it: Outcome) =>
  it.wrong.length > 0 && !unmatched.some(({ cassette, ask }) => cassette === name && ask === it.ask)

/** A busy machine may be too late for a state that lasts a second: then once more, with a slower clock. */
const run = async (name: string): Promise<Outcome[]> => {
  const first = await runAt(name, 0.08)
  return first.some(isWrong(name)) ? runAt(name, 0.3) : first
}

const runAt = async (name: string, scale: number): Promise<Outcome[]> => {
  const recorded = recording(name)
  const project = await openProject({ scale, asOf: recorded.day })
  const { url } = project
  const longestMs = 200_000 * scale
  try {
    const before = name === 'errors-collected' ? provoke(project) : {}
    return await replay(recorded, {
      url,
      token: credentials.secretKey,
      project: credentials.projectId,
      before,
      longestMs,
    })
  } finally {
    await project.close()
  }
}

const names = readdirSync(new URL('recorded/', import.meta.url)).map(it => it.replace('.json', ''))
const queue = names.toSorted((a, b) => Number(b.startsWith('k8s')) - Number(a.startsWith('k8s')))
const runs = new Map(names.map(it => [it, Promise.withResolvers<Outcome[]>()]))
const work = async () => {
  for (let name = queue.shift(); name; name = queue.shift()) {
    const { resolve, reject } = runs.get(name)!
    await run(name).then(resolve, reject)
  }
}
// Some side by side: most of it is waiting.
void Promise.all([work(), work(), work(), work(), work()])

const sum = (all: Outcome[]) => all.reduce((total, it) => total + it.count, 0)
const seen: Outcome[] = []

for (const name of names)
  test(name, async () => {
    const outcomes = await runs.get(name)!.promise
    const matched = outcomes.filter(it => it.wrong.length === 0)
    seen.push(...outcomes)
    console.log(`${name}: ${sum(matched)}/${sum(outcomes)}`)
    const told = ({ ask, wrong }: Outcome) => [ask, ...wrong].join('\n    ')
    assert.equal(outcomes.filter(isWrong(name)).map(told), [], 'not answered as recorded')
    const listed = matched.filter(it => unmatched.some(({ cassette, ask }) => cassette === name && ask === it.ask))
    assert.equal(listed.map(told), [], 'listed as unmatched, and matches')
  })

test('all of them are counted', () => {
  const matched = seen.filter(it => it.wrong.length === 0)
  console.log(`in all: ${sum(matched)}/${sum(seen)}`)
  for (const { ask, reason } of unmatched) console.log(`  ${ask}: ${reason}`)
  assert.is(sum(seen), 832)
  assert.is(sum(seen) - sum(matched), unmatched.length)
})
