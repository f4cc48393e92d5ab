import { setTimeout as sleep } from 'node:timers/promises'
import { graceMs } from '../../src/engine/grace.ts'
import type { Entry, Recorded } from '../../src/engine/journal.ts'
import type { Conditions } from '../../src/sandbox/scaleway/api.ts'
import { lagMs } from '../../src/scaleway/make.ts'
import { census, compare } from './census.ts'
import { connect, openCloud, settled, unhurried } from './cloud.ts'
import { type Dice, dice } from './dice.ts'
import { pending, planned, provision } from './provision.ts'
import { type Act, type Death, deploy, destroy, dyingAfter, killedAfter } from './runs.ts'
import { type Wished, wish } from './tenants.ts'

type Cloud = Awaited<ReturnType<typeof openCloud>>

/** A cloud, a context in it, and the journal of what was run there. */
type Scene = { cloud: Cloud; wished: Wished; history: Recorded[] }

/** What came of one seed: how its troubled runs ended, and what was wrong at the end (nothing: it survived). */
export type Survived = { seed: number; ends: string[]; wrong: string[] }

/** Waits and pauses some five hundred times shorter than in life. */
const clock = { scale: 0.002 }

/** What a calm deploy leaves. */
export const calmly = (tenants: number): Promise<string[]> =>
  inScene(tenants, async ({ cloud, wished }) => {
    await provision(wished.cloud, await client(cloud))
    return census(cloud.api.state())
  })

/**
 * Some runs in bad weather, most of them killed (`processes`: real ones, by SIGKILL); then one in good weather, a second look, and
 * a destroy.
 */
export const survive = async (
  seed: number,
  { tenants, expected, processes = false }: { tenants: number; expected: readonly string[]; processes?: boolean },
): Promise<Survived> => {
  const { roll, between } = dice(seed)
  const ends: string[] = []
  const wrong = await inScene(tenants, async scene => {
    const troubled = async (act: Act) => {
      scene.cloud.api.conditions.set(weather({ roll, between }, seed))
      const dies = roll() < 0.7
      if (processes && dies) {
        const ms = between(0, 1500)
        ends.push(`${act.name} killed after ${ms} ms: ${await endingOfProcess(scene, act, ms)}`)
      } else {
        const calls = between(1, act === deploy ? 160 : 60)
        const end = await ending(scene, act, dies ? dyingAfter(calls) : null)
        ends.push(`${act.name}${dies ? ` killed at call ${calls}` : ''}: ${end}`)
      }
      scene.cloud.api.conditions.clear()
    }
    for (let runs = between(1, 3); runs > 0; runs--) await troubled(roll() < 0.8 ? deploy : destroy)
    const differences = await redeployed(scene, expected)
    if (roll() < 0.5) await troubled(destroy)
    return [...differences, ...(await destroyed(scene))]
  }).catch(error => [error instanceof Error ? `${error.stack}` : String(error)])
  return { seed, ends, wrong }
}

const inScene = async <T>(tenants: number, act: (scene: Scene) => Promise<T>): Promise<T> => {
  const wished = await wish(tenants)
  const cloud = await openCloud(clock)
  try {
    return await act({ cloud, wished, history: [] })
  } finally {
    await cloud.close()
    await wished.remove()
  }
}

/** Any fifth of the calls: turned away, stumbled over before or after their effect, cut before or after it. */
const weather = ({ roll, between }: Dice, seed: number): Conditions => {
  const chance = 0.2 / 5
  const stale = roll()
  return {
    seed,
    faults: [
      { chance, do: { status: 429 } },
      { chance, do: { status: 500 } },
      { chance, do: { status: 500, after: true } },
      { chance, do: { cut: 'before' } },
      { chance, do: { cut: 'after' } },
    ],
    ...(stale < 0.3 ? { staleMs: between(20, 300) } : stale < 0.6 ? { lagMs: between(20, 300) } : {}),
  }
}

/** As a command does it: patience after a run that did not end well, then what it is for, all of it written down. */
const run = async ({ history, cloud, wished }: Scene, act: Act, death: Death | null = null): Promise<void> => {
  await sleep(graceMs(history, lagMs))
  const clients = await client(cloud, death)
  const name = `${history.length}`
  const record = (entry: Entry) => {
    if (!death?.signal.aborted) history.push({ time: new Date().toISOString(), run: name, ...entry })
  }
  record({ event: 'run-started', command: act.name, context: 'bench' })
  try {
    await act(wished, clients, { run: name, record, close() {} }, death?.signal)
    record({ event: 'run-ended', status: 'ok' })
  } catch (error) {
    record({ event: 'run-ended', status: 'failed' })
    throw error
  }
}

/** How a troubled run ended, in a few words. A process that is killed ends at once, whatever it waited for. */
const ending = async (scene: Scene, act: Act, death: Death | null): Promise<string> => {
  const over = run(scene, act, death).then(
    () => 'done',
    error => (death?.signal.aborted ? 'killed' : `failed: ${(error as Error).message}`),
  )
  const killed = new Promise<string>(done => death?.signal.addEventListener('abort', () => done('killed')))
  return Promise.race([over, killed])
}

/** The same of a real process. */
const endingOfProcess = async ({ history, cloud, wished }: Scene, act: Act, ms: number): Promise<string> => {
  await sleep(graceMs(history, lagMs))
  const line = { time: new Date().toISOString(), run: `${history.length}` }
  history.push({ ...line, event: 'run-started', command: act.name, context: 'bench' })
  const done = await killedAfter(ms, act, cloud.url, wished)
  if (done) history.push({ ...line, event: 'run-ended', status: 'ok' })
  return done ? 'done' : 'killed'
}

const client = (cloud: Cloud, death: Death | null = null) =>
  connect(cloud.url, 'bench', { pace: unhurried(), baseMs: 5, capMs: 40, ...(death && { fetch: death.send }) })

const redeployed = async (scene: Scene, expected: readonly string[]): Promise<string[]> => {
  const { cloud, wished } = scene
  await run(scene, deploy)
  await settled(cloud.api)
  const differences = compare(expected, census(cloud.api.state()))
  const drift = pending(await planned(wished.cloud, await client(cloud)))
  return [...differences, ...drift.map(it => `the next plan is not empty: ${it}`)]
}

const destroyed = async (scene: Scene): Promise<string[]> => {
  await run(scene, destroy)
  await settled(scene.cloud.api)
  return census(scene.cloud.api.state()).map(it => `left by destroy: ${it}`)
}
