import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Tenant } from '../../inventory/context.ts'
import { KubeProblem } from '../../rollout/kube/problem.ts'
import { type Selected, selectWorkloads } from '../../rollout/selection.ts'
import { calledAs } from '../../rollout/workload.ts'
import type { Session } from '../session.ts'

/**
 * The session with what its selectors find in the cluster added to the workloads of its tenants. A cluster that is not
 * made yet, or does not answer although this context makes it, has none: what comes next says so or makes it.
 */
export const withSelected = async (session: Session): Promise<Session> => {
  const { context, state, output } = session
  if (context.tenants.every(it => !it.selectors)) return session
  const own = join(state, 'kubeconfig')
  if (!context.cluster.kubeconfig && !existsSync(own)) return session
  const kube = session.clients.kube(context.cluster.kubeconfig ?? own)
  const select = async (tenant: Tenant): Promise<Selected> => {
    if (!tenant.selectors) return { found: [], left: [] }
    try {
      return await selectWorkloads(kube, tenant.namespace, tenant.selectors, tenant.workloads)
    } catch (thrown) {
      const silent = thrown instanceof KubeProblem && thrown.status === 0 && !context.cluster.kubeconfig
      if (!silent) throw thrown
      output.say(`note: the selectors of ${tenant.tenant} find nothing: ${thrown.why}`)
      return { found: [], left: [] }
    }
  }
  const tenants = await Promise.all(
    context.tenants.map(async (tenant): Promise<Tenant> => {
      const { found, left } = await select(tenant)
      for (const { workload, why } of left)
        output.say(`note: ${tenant.namespace}/${calledAs(workload)} is selected and stays as it is: ${why}`)
      return { ...tenant, workloads: [...tenant.workloads, ...found] }
    }),
  )
  return { ...session, context: { ...context, tenants } }
}
