import { join } from 'node:path'
import { heldBy } from './machines/slots.ts'
import { ask } from './machines/socket.ts'
import type { World } from './machines/world.ts'
import type { Status } from './status.ts'
import { Trouble } from './trouble.ts'

const control = (world: World) => join(world.run, 'control.sock')

/** Quick: a sandbox that is up is recognised with a few small reads and one question. */
export const answers = (world: World): Promise<boolean> =>
  ask(control(world), 'GET', '/health', undefined, 3000).then(
    () => true,
    () => false,
  )

export const isUp = async (directory: string): Promise<World | null> => {
  const world = heldBy(directory)
  return world && (await answers(world)) ? world : null
}

const reach = async (directory: string, upCommand: string): Promise<World> => {
  const world = await isUp(directory)
  if (world) return world
  throw new Trouble('the sandbox is not up', { why: `no daemon answers for ${directory}`, next: upCommand })
}

export const status = async (directory: string, upCommand: string): Promise<Status> =>
  ask<Status>(control(await reach(directory, upCommand)), 'GET', '/status')

export const admit = async (directory: string, upCommand: string, ranges: string[]): Promise<Status> =>
  ask<Status>(control(await reach(directory, upCommand)), 'PUT', '/partner', { admitted: ranges })
