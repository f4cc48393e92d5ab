import { setTimeout as delay } from 'node:timers/promises'
import type { Pods } from '../../ports.ts'
import { initOf, isSidecar } from '../objects/init-containers.ts'
import type { Loose, Obj } from '../objects/object.ts'

export type Prober = { stop(): void }

/**
 * Asks a container again and again and tells when its answer counts: after `successThreshold` or
 * `failureThreshold` equal ones. HTTP and TCP are tried from inside the pod's own namespace.
 */
const startProbe = (pods: Pods, pod: Obj, container: Loose, probe: Loose, tell: (isOk: boolean) => void): Prober => {
  const command = commandOf(pod, container, probe)
  let isOver = false
  let streak = 0
  let last: boolean | undefined
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    const isOk = await ask(pods, pod.metadata.uid, container.name, command, probe.timeoutSeconds * 1000)
    if (isOver) return
    streak = isOk === last ? streak + 1 : 1
    last = isOk
    if (streak === (isOk ? probe.successThreshold : probe.failureThreshold)) tell(isOk)
    if (isOver) return
    timer = setTimeout(() => void look(), probe.periodSeconds * 1000)
  }
  timer = setTimeout(() => void look(), (probe.initialDelaySeconds ?? 0) * 1000)
  return {
    stop() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** The probes of one container, as one. Until the startup probe has succeeded nobody asks the others. */
export const startProbes = (
  pods: Pods,
  pod: Obj,
  container: Loose,
  tell: { started(): void; ready(isOk: boolean): void; dead(): void },
): Prober => {
  const { startupProbe, readinessProbe, livenessProbe } = container
  let probers: Prober[] = []
  const begin = (probe: Loose, heard: (isOk: boolean) => void) => {
    if (probe) probers.push(startProbe(pods, pod, container, probe, heard))
  }
  const stop = () => {
    for (const it of probers) it.stop()
    probers = []
  }
  const started = () => {
    stop()
    tell.started()
    begin(readinessProbe, tell.ready)
    begin(livenessProbe, isOk => !isOk && tell.dead())
  }
  if (startupProbe) begin(startupProbe, isOk => (isOk ? started() : tell.dead()))
  else started()
  return { stop }
}

const commandOf = (pod: Obj, container: Loose, probe: Loose): string[] => {
  const port = (it: number | string) =>
    typeof it === 'number' ? it : container.ports?.find((its: Loose) => its.name === it)?.containerPort
  if (probe.exec) return probe.exec.command
  const { host = pod.status.podIP } = probe.httpGet ?? probe.tcpSocket ?? {}
  if (probe.httpGet) {
    const { path, scheme, httpHeaders = [] } = probe.httpGet
    const url = `${String(scheme).toLowerCase()}://${host}:${port(probe.httpGet.port)}${path}`
    const headers = httpHeaders.flatMap((it: Loose) => ['-H', `${it.name}: ${it.value}`])
    return ['curl', '-fskS', '--noproxy', '*', '-o', '/dev/null', ...headers, url]
  }
  if (probe.tcpSocket) return ['bash', '-c', 'exec 3<>"/dev/tcp/$0/$1"', host, String(port(probe.tcpSocket.port))]
  return ['false']
}

const ask = async (pods: Pods, uid: string, container: string, command: string[], ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  try {
    const process = pods.exec(uid, container, command, { tty: false, stdin: false })
    process.stdout.resume()
    process.stderr.resume()
    const late = new Promise<number>(resolve => {
      timer = setTimeout(() => {
        process.kill()
        resolve(-1)
      }, ms)
    })
    return (await Promise.race([process.ended, late])) === 0
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** The preStop hooks of a pod that is asked to go: commands and waits, for as long as its grace. HTTP ones are not known. */
export const sayGoodbye = async (pods: Pods, pod: Obj, graceSeconds: number): Promise<void> => {
  await Promise.all(
    [...pod.spec.containers, ...initOf(pod).filter(isSidecar)].map(async (it: Loose) => {
      const { exec, sleep } = it.lifecycle?.preStop ?? {}
      if (sleep) await delay(Math.min(sleep.seconds, graceSeconds) * 1000)
      if (exec) await ask(pods, pod.metadata.uid, it.name, exec.command, graceSeconds * 1000)
    }),
  )
}
