import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import type { Evidence, Finding } from '../../report/evidence.ts'
import { evidencePage } from '../../report/evidence-page.ts'
import { gatherEvidence, hashOf, seeCloud } from '../evidence.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'
import { forTenant } from './report.ts'

/** `--evidence DIR`: what each tenant's way out is, as JSON and as a page, for somebody who was not there. */
export const evidence = async (asked: Session, directory: string): Promise<ExitCode> => {
  const session = forTenant(asked)
  const { output } = session
  const staged = await seeCloud(session)
  const wrong: string[] = []
  let proved = true
  for (const tenant of session.context.tenants) {
    const made = await gatherEvidence(staged, tenant)
    const { counts, verdict } = made
    const files = write(resolve(directory), made)
    for (const it of files) output.data(it)
    output.event('evidence', { tenant: tenant.tenant, verdict, counts, files })
    output.say(
      `${tenant.tenant}: ${counts.asked} questions, ${counts.hold} hold, ${counts.fail} do not, ${counts.unclear} unclear`,
    )
    const all = [...made.proxies, ...made.addresses, ...made.samples]
    const of = (wanted: Finding['verdict']) => all.filter(it => it.verdict === wanted)
    wrong.push(...[...of('fails'), ...of('unclear')].map(it => `${tenant.tenant}: ${nameOf(it)}: ${it.why}`))
    proved &&= verdict !== 'fails'
  }
  if (wrong.length === 0) return finish(session, { status: 'ok', changes: noChanges })
  throw new Problem(
    `${wrong.length} of what should hold ${proved ? 'could not be shown' : 'does not, or could not be shown'}`,
    {
      why: wrong.slice(0, 20).join('\n'),
      next: `the report in ${directory} has all of it; deploy.mjs --check --diff says what is not as the inventory says`,
    },
  )
}

const nameOf = (it: Evidence['proxies' | 'addresses' | 'samples'][number]) =>
  'url' in it ? it.url : 'service' in it ? it.service : it.name

/** The page names the hash of the JSON file: `sha256sum` of that file is what it must be. */
const write = (directory: string, made: Evidence): string[] => {
  const name = `evidence-${made.tenant}-${made.began.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}`
  const json = `${JSON.stringify(made, null, 2)}\n`
  const files = { [`${name}.json`]: json, [`${name}.html`]: `${evidencePage(made, hashOf(json))}\n` }
  return Object.entries(files).map(([it, content]) => {
    const file = join(directory, it)
    try {
      mkdirSync(directory, { recursive: true })
      // Evidence is never written over; names of whom a tenant calls are nobody else's to read.
      writeFileSync(file, content, { mode: 0o600, flag: 'wx' })
    } catch (cause) {
      throw new Problem(`${file} cannot be written`, {
        why: (cause as Error).message,
        next: 'name a directory that you may write to: --evidence DIR',
        exit: 2,
        cause,
      })
    }
    return file
  })
}
