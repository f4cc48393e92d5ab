import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { site, stageNames } from '../../playbooks/site.ts'
import { loadContext } from '../inventory/load.ts'
import { usualDeadlines } from '../scaleway/deadlines.ts'
import { mermaid } from './graph.ts'
import { timings } from './timings.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export const page = join(root, 'docs', 'provisioning.md')

/** The parts of the page that come from the code, for the sandbox context: name -> Markdown. */
export const partsOfPage = async (): Promise<Record<string, string>> => {
  const { stages, cloud } = site(await loadContext('sandbox', { root, env: {} }), {
    operatorKey: 'ssh-ed25519 AAAA',
    kubeconfig: 'kubeconfig',
  })
  const groups = stageNames.map(name => ({ name, desired: stages[name].filter(it => cloud.includes(it)) }))
  return {
    graph: mermaid(groups.filter(it => it.desired.length > 0)),
    timings: timings(cloud),
    deadlines: Object.entries(usualDeadlines)
      .map(([what, ms]) => `- \`${what}\`: ${ms / 60_000}m`)
      .join('\n'),
  }
}

/** The page with its parts as the code has them. */
export const redrawn = (text: string, parts: Record<string, string>): string =>
  Object.entries(parts).reduce((whole, [name, part]) => {
    const [begin, end] = [`<!-- ${name}: written by npm run graph -->`, `<!-- ${name}: end -->`]
    const [from, to] = [whole.indexOf(begin), whole.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the page has no place between ${begin} and ${end}`)
    return `${whole.slice(0, from + begin.length)}\n\n${part}\n\n${whole.slice(to)}`
  }, text)

/** `npm run graph` */
if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(page, redrawn(readFileSync(page, 'utf8'), await partsOfPage()))
