import type { Probes } from '../probe.ts'
import { askCommand, type CommandGate } from './command.ts'
import { type Gate, gate } from './gate.ts'
import { askHttp, type HttpGate } from './http.ts'
import { askLog, type LogGate } from './log.ts'
import type { Limits } from './measure.ts'
import { askPrometheus, type PrometheusGate } from './prometheus.ts'
import type { Subject } from './subject.ts'
import { askTcp, type TcpGate } from './tcp.ts'

type Optional<T> = { [word in keyof T]?: T[word] | undefined }

/** A gate of the inventory: limits, and exactly one of the words that say what is asked. */
export type UserGate = { name: string } & Optional<Limits> &
  Optional<HttpGate & TcpGate & PrometheusGate & CommandGate & LogGate>

export const userGate = (words: UserGate): Gate<Subject, Probes> => {
  const { name, http, tcp, prometheus, command, log, from = 'pod' } = words
  const { status = [200], env = [], timeout = '30s' } = words
  const ask = http
    ? askHttp({ http, from, status })
    : tcp
      ? askTcp({ tcp, from })
      : prometheus
        ? askPrometheus({ prometheus })
        : command
          ? askCommand({ command, env, timeout })
          : log && askLog({ log })
  if (!ask) throw new RangeError(`gate ${name} asks nothing`)
  return gate(name, { ...limitsIn(words), ask })
}

const WORDS = [
  ...['interval', 'count', 'initialDelay', 'failureLimit', 'consecutiveErrorLimit', 'consecutiveSuccessLimit'],
  ...['inconclusiveLimit', 'dryRun'],
]

/** The limits that are said. */
export const limitsIn = (words: Optional<Limits>): Partial<Limits> =>
  Object.fromEntries(Object.entries(words).filter(([word, value]) => WORDS.includes(word) && value !== undefined))
