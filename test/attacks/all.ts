import { clients } from './clients.ts'
import { dnsTricks } from './dns-tricks.ts'
import { embeddings } from './embeddings.ts'
import { entries } from './entries.ts'
import { forging } from './forging.ts'
import { honest } from './honest.ts'
import { itself } from './itself.ts'
import { manager } from './manager.ts'
import { methods } from './methods.ts'
import { mismatch } from './mismatch.ts'
import { names } from './names.ts'
import { notations } from './notations.ts'
import { ports } from './ports.ts'
import { cluster, ranges } from './ranges.ts'
import { smuggling } from './smuggling.ts'

/** The whole set. */
export const attackSet = [
  ...[honest, entries, clients, notations, embeddings, ranges, cluster, itself, dnsTricks, names].flat(),
  ...[ports, methods, mismatch, smuggling, manager, forging].flat(),
]
