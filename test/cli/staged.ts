import type { StageName } from '../../playbooks/site.ts'
import { stageNames } from '../../playbooks/site.ts'
import type { Flags } from '../../src/cli/flags.ts'
import { parse } from '../../src/cli/flags.ts'
import type { Staged } from '../../src/cli/staged.ts'
import type { Desired } from '../../src/engine/desired.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { countChanges } from '../../src/engine/step.ts'
import { worldFor } from '../support/things.ts'

type Planned = { argv?: string[]; protect?: string[]; stages?: readonly StageName[] }

/** A command that has planned these things, all of the first stage, with a session that has only its flags. */
export const stagedWith = async (
  desired: Desired[],
  { argv = [], protect = [], stages = stageNames }: Planned = {},
): Promise<Staged> => {
  const flags: Flags = parse('deploy', ['--context', 'test', ...argv], {}).flags
  const empty = Object.fromEntries(stageNames.map(it => [it, [] as Desired[]])) as Record<StageName, Desired[]>
  const site = { stages: { ...empty, gateway: desired }, phases: [], cloud: desired, protectedIds: new Set(protect) }
  return {
    session: { flags, context: { context: 'test' }, world: worldFor() } as unknown as Staged['session'],
    site: site as unknown as Staged['site'],
    plan: await makePlan(desired, worldFor()),
    projectId: 'b1',
    stages,
    counts: countChanges([]),
    orphans: [],
  }
}
