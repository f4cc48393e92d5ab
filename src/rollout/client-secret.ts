import { X509Certificate } from 'node:crypto'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { Problem } from '../engine/problem.ts'
import type { Clients } from './manifest.ts'

export type Want = { kubeconfig: string; namespace: string; name: string }
/** Of its certificate, nothing of its key. `expires`: ISO. */
export type Live = { subject: string; expires: string }

type Secret = { data?: Record<string, string> }

/**
 * The Secret with the pods' certificate, which somebody else makes and renews. It is looked at, never written: pods
 * that were moved without it would not start.
 */
export const clientSecretKind: Kind<Want, Live, Clients> = {
  name: 'client-secret',
  looksThroughParents: true,
  async read({ kubeconfig, namespace, name }, { kube }) {
    const secret = await kube(kubeconfig).get<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    if (!secret) return null
    const { 'tls.crt': cert, 'tls.key': key } = secret.data ?? {}
    if (!cert || !key) throw unfit({ namespace, name }, `it has no ${cert ? 'tls.key' : 'tls.crt'}`)
    const { subject, validTo } = parsed({ namespace, name }, cert)
    return { subject: subject.replaceAll('\n', ', '), expires: new Date(validTo).toISOString() }
  },
  diff(want, live) {
    if (!live) return { action: 'create', summary: `needs Secret ${want.namespace}/${want.name}, which you make` }
    if (Date.parse(live.expires) < Date.now()) throw unfit(want, `its certificate ended on ${live.expires}`)
    return null
  },
  async apply(want, clients, _live, report) {
    const live = await clientSecretKind.read(want, clients, report)
    if (live) return live
    throw unfit(want, 'it is not there, and you make it: by cert-manager, or kubectl create secret tls')
  },
  async undo() {},
}

/** `clientSecret('client-a/egress-client', { kubeconfig, namespace, name })` */
export const clientSecret = word(clientSecretKind)

const parsed = (at: Pick<Want, 'namespace' | 'name'>, cert: string): X509Certificate => {
  try {
    return new X509Certificate(Buffer.from(cert, 'base64'))
  } catch {
    throw unfit(at, 'its tls.crt is no certificate')
  }
}

const unfit = ({ namespace, name }: Pick<Want, 'namespace' | 'name'>, why: string) =>
  new Problem(`Secret ${namespace}/${name}: pods have no certificate to show`, {
    why,
    next: `make it (cert-manager, or kubectl -n ${namespace} create secret tls ${name} --cert FILE --key FILE), then run again`,
  })
