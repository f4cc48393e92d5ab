import { Refusal } from './answer.ts'
import type { Cloud } from './cloud.ts'
import type { Conditions } from './conditions.ts'
import type { createHistory } from './history.ts'
import { type Ask, createRouter, type Route } from './router.ts'
import { routesOf } from './routes.ts'
import { emptyState } from './saved.ts'

/** Lists end in a plural: `/servers`, `/ips`, `/acls`; single things in an id, or in one word about it. */
const isList = (template: string) => /s$/.test(template)

/** Answers reads from the state of a while ago, with the same handlers over a copy. */
export const createPast = (cloud: Cloud, history: ReturnType<typeof createHistory>) => {
  const state = emptyState()
  const inert = { ...cloud.transitions, define: () => {}, start: () => {}, background: () => {} }
  const find = createRouter(routesOf({ ...cloud, state, transitions: inert }))

  /** The route to run instead of `now`: of then, or the same when reads are fresh. */
  return (now: Route, path: string, { staleMs = 0, lagMs = 0 }: Conditions): Route['run'] => {
    const ago = Math.max(staleMs, isList(now.template) ? lagMs : 0)
    const found = now.method === 'GET' && ago > 0 ? find('GET', path) : null
    if (!found || found === 'method') return now.run
    return (ask: Ask) => {
      try {
        // No read here waits for anything, so two of them never share this state.
        Object.assign(state, history.ago(ago))
        return found.route.run(ask)
      } catch (thrown) {
        // What is not of the past alone: a list under a parent that only lists have not heard of, a gone cluster's file.
        if (!(thrown instanceof Refusal) || staleMs === 0) return now.run(ask)
        throw thrown
      }
    }
  }
}
