import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { fetch, type Response } from 'undici'
import * as assert from 'uvu/assert'
import { createKube, type Kube } from '../../src/rollout/kube/kube.ts'
import { readKubeconfig } from '../../src/rollout/kube/kubeconfig.ts'
import { createRoutes } from '../../src/rollout/kube/route.ts'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { createWorld, eventually } from '../sandbox/kubernetes/world.ts'
import { findKubectl } from '../support/kubectl.ts'

export type Answer = { code: number; body: Loose; headers: Response['headers'] }
export type Cluster = Awaited<ReturnType<typeof openCluster>>

/**
 * A cluster by its kubeconfig alone: that of `npm run test:cluster`, else the emulator's. With a namespace of a random
 * name for this file, which `close` removes; `inner` is the path of its core objects.
 */
export const openCluster = async (word: string, labels: Record<string, string> = {}) => {
  const given = process.env.EGRESS_TEST_KUBECONFIG || undefined
  const context = process.env.EGRESS_TEST_CONTEXT || undefined
  const world = given ? undefined : await createWorld()
  const config = given ?? world!.config
  const home = await mkdtemp(join(tmpdir(), 'egress-cluster-'))
  const access = await readKubeconfig(config, { context })
  const routes = createRoutes(access)
  const kube: Kube = createKube({ kubeconfig: config, context })
  const namespace = `egress-test-${word}-${randomBytes(3).toString('hex')}`

  const open = async (method: string, path: string, body?: Loose, headers: Record<string, string> = {}) => {
    const { token, ...identity } = await access.login.current()
    return fetch(`${access.server}${path}`, {
      method,
      dispatcher: routes.by(identity),
      signal: AbortSignal.timeout(60_000),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'tester/1',
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }
  const call = async (...it: Parameters<typeof open>): Promise<Answer> => {
    const response = await open(...it)
    return { code: response.status, body: parsed(await response.text()), headers: response.headers }
  }

  const path = (apiVersion: string, plural: string, name?: string) =>
    `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${plural}${name ? `/${name}` : ''}`

  const removals: (() => Promise<unknown>)[] = []
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    for (const it of removals.reverse()) await it()
    await call('DELETE', `/api/v1/namespaces/${namespace}`)
    await kube.close()
    await routes.close()
    await world?.close()
    await rm(home, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().finally(() => process.exit(130)))

  const made = await call('POST', '/api/v1/namespaces', {
    metadata: { name: namespace, labels: { 'egress-test': word, ...labels } },
  })
  if (made.code !== 201) throw new Error(`namespace ${namespace} was not made: ${made.body.message}`)
  await eventually(
    async () => (await call('GET', path('v1', 'serviceaccounts', 'default'))).code === 200,
    'a service account',
  )

  return {
    namespace,
    kube,
    call,
    path,
    close,
    /** A stream of lines, such as a watch. */
    open,
    /** What a case makes outside of the namespace, to be taken away at the end, the last first. */
    remove: (path: string) => void removals.push(() => call('DELETE', path)),
    /** Makes it, and says what is wrong where it is not made. */
    async make(apiVersion: string, plural: string, body: Loose): Promise<Loose> {
      const { code, body: made } = await call('POST', path(apiVersion, plural), body)
      assert.is(code, 201, made.message)
      return made
    },
    patch: (at: string, type: 'json' | 'merge' | 'strategic-merge', body: Loose, query = '') =>
      call('PATCH', `${at}${query}`, body, { 'content-type': `application/${type}-patch+json` }),
    apply: (at: string, body: Loose, manager: string, query = '') =>
      call('PATCH', `${at}?fieldManager=${manager}${query}`, body, { 'content-type': 'application/apply-patch+yaml' }),
    /** kubectl in this namespace; `reject` is off. */
    kubectl: (line: string | string[], input = '') =>
      execa(
        findKubectl().path ?? 'kubectl',
        [
          ...['--kubeconfig', config, '--namespace', namespace, ...(context ? ['--context', context] : [])],
          ...(typeof line === 'string' ? line.split(' ') : line),
        ],
        { input, reject: false, timeout: 120_000, env: { HOME: home } },
      ),
  }
}

/** JSON where it is some; plain text as it came. */
const parsed = (text: string): Loose => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
