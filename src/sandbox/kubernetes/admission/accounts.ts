import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Loose, Obj } from '../objects/object.ts'
import { kind } from '../objects/resources.ts'
import type { Store } from '../objects/store.ts'
import type { Caller } from './rbac.ts'
import { serviceAccount } from './rbac.ts'

const encode = (it: Loose) => Buffer.from(JSON.stringify(it)).toString('base64url')
const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('base64url')
const issuer = 'https://kubernetes.default.svc.cluster.local'

/** The token of a service account, as a JWT that this cluster alone accepts, and only while that account lives. */
export const tokenFor = ({ metadata: { namespace, name, uid } }: Obj, secret: string): string => {
  const sub = `system:serviceaccount:${namespace}:${name}`
  const claims = { iss: issuer, aud: [issuer], sub, 'kubernetes.io': { namespace, serviceaccount: { name, uid } } }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${sign(text, secret)}`
}

/** Answers a TokenRequest. Tokens here last as long as their account; the time is only told. */
export const issue = (account: Obj, secret: string, body: Loose): Loose => {
  const seconds = body?.spec?.expirationSeconds ?? 3600
  const expirationTimestamp = new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, '')
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name: account.metadata.name, namespace: account.metadata.namespace },
    spec: { audiences: [issuer], expirationSeconds: seconds },
    status: { token: tokenFor(account, secret), expirationTimestamp },
  }
}

/** Whose token this is; undefined: nobody's. */
export const accountOf = (store: Store, token: string, secret: string): Caller | undefined => {
  const [head, claims, signature, ...more] = token.split('.')
  if (!head || !claims || !signature || more.length > 0) return undefined
  const right = Buffer.from(sign(`${head}.${claims}`, secret))
  const given = Buffer.from(signature)
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  const { namespace, serviceaccount: its } = JSON.parse(Buffer.from(claims, 'base64url').toString())['kubernetes.io']
  const account = store.get(kind('ServiceAccount'), namespace, its.name)
  if (account?.metadata.uid !== its.uid) return undefined
  return serviceAccount(namespace, its.name, its.uid)
}
