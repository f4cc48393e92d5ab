import { quote } from '../shell.ts'
import { fields, type TaskKind } from './kind.ts'
import { pointTo, policies } from './policy.ts'

/** `to`: a revision that is on the host, such as `12-0a1b2c3d`. */
export type RevisionTask = { task: 'revision'; tenant: string; to: string }
export type RevisionState = { revision: string | null }

/** An earlier policy of a tenant, in force again. The next run that configures the proxy makes the inventory's true. */
export const revisionTask: TaskKind<RevisionTask, RevisionState> = {
  title: ({ tenant }) => `revision of ${tenant}`,
  look: ({ tenant }) => `to=$(readlink -- ${policies}/${quote(tenant)}.policy)
to=\${to##*/}
if [ -n "$to" ]; then echo "revision \${to%.policy}"; fi`,
  parse: output => ({ revision: fields(output).revision ?? null }),
  diff({ tenant, to }, { revision }) {
    if (revision === to) return null
    return { name: `revision of ${tenant}`, action: 'update', diff: `${revision ?? 'none'} -> ${to}` }
  },
  change: ({ tenant, to }) => pointTo(tenant, to),
  restore: ({ tenant }, { revision }) => (revision === null ? ':' : pointTo(tenant, revision)),
  same: (before, now) => before.revision === now.revision,
}
