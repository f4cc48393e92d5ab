import type { Step } from '../engine/step.ts'
import { createCatalogue } from './catalogue.ts'
import type { Scaleway } from './client.ts'
import type { Check, Finding } from './finding.ts'
import { checkCluster, checkPoolName } from './preflight-cluster.ts'
import { checkPool, checkServer } from './preflight-compute.ts'
import { checkAddress, checkEmptied, checkGateway, checkNetwork } from './preflight-network.ts'
import { orNull, statusOf } from './problems.ts'

const checks: Record<string, Check[]> = {
  'private-network': [checkNetwork, checkEmptied],
  'ipam-address': [checkAddress],
  gateway: [checkGateway],
  server: [checkServer],
  cluster: [checkCluster],
  pool: [checkPool, checkPoolName],
}

/**
 * Asks the API, side by side and reading only, what it would say to these steps. Nothing to make: nothing is asked.
 * `unanswered` says in words what could not be known; that is no mistake.
 */
export const preflight = async (
  steps: readonly Step[],
  scaleway: Scaleway,
): Promise<{ findings: Finding[]; unanswered: string[] }> => {
  const making = steps.filter(it => checks[it.kind] && makes(it))
  const [first] = making
  if (!first) return { findings: [], unanswered: [] }
  const catalogue = createCatalogue(scaleway)
  const found = await Promise.all([
    checkProject(first, scaleway),
    ...making.flatMap(step => checks[step.kind]!.map(check => check({ step, want: step.want, scaleway, catalogue }))),
  ])
  return { findings: found.flat(), unanswered: catalogue.unanswered() }
}

/** What is there already was accepted once; only a new type is asked about again. */
const makes = ({ change: { action, details = [] } }: Step): boolean =>
  action === 'create' || action === 'replace' || details.some(it => it.name === 'type')

/** A key may be right and the project another one's: lists of such a project are merely empty. */
const checkProject = async ({ id }: Step, { account, projectId }: Scaleway): Promise<Finding[]> => {
  try {
    if (await orNull(account.getProject({ projectId }))) return []
  } catch (error) {
    if (statusOf(error) === 403) return [] // few keys may read projects; what they may do shows soon enough
    throw error
  }
  return [
    {
      step: id,
      field: 'project',
      what: `there is no project ${projectId}`,
      why: 'the API key does not know a project of this id',
      next: 'correct scaleway.projectId, or the default project of the credentials',
    },
  ]
}
