import type { Metadata } from '../kube/object.ts'
import type { Check } from './finding.ts'

/**
 * What makes a workload again and again from somewhere else would fight a patch, or undo it at its next turn: there the
 * overlay or a pull request is the way. An inventory that knows better says `ownership: patch`.
 */
export const ownership: Check = ({ moving, wishes }) =>
  moving.flatMap(it => {
    const owner = ownerOf(it.workload.metadata)
    if (!owner) return []
    const level = wishes.patch || owner.gentle ? 'note' : 'stop'
    const there = owner.by === 'operator' ? `what ${owner.what} has for labels and variables of its pods` : owner.where
    const label = `${it.want.label.key}: ${it.want.label.value} on its pods and the variables of ConfigMap egress-proxy`
    return [
      {
        level,
        workload: it.name,
        what: `it belongs to ${owner.what}`,
        why: `${owner.seen}; a patch stands until ${owner.until}`,
        next: wishes.patch
          ? `see that ${there} does not say otherwise`
          : `put ${label} into ${there}; or say rollout: { ownership: patch }`,
      },
    ]
  })

type Owner = { by: string; what: string; where: string; seen: string; until: string; gentle?: true }

type Told = Pick<Metadata, 'labels' | 'annotations' | 'managedFields' | 'ownerReferences'>

/** Who makes it, as its own fields tell; the most particular first. Null: nobody that is known. */
export const ownerOf = (metadata: Told): Owner | null => {
  for (const recognise of recognisers) {
    const owner = recognise(metadata)
    if (owner) return owner
  }
  return null
}

type Recognise = (metadata: Told) => Owner | null

const labelled = ({ labels, annotations }: Told, key: string) => labels?.[key] ?? annotations?.[key]

const managers = ({ managedFields = [] }: Told) => managedFields.filter(it => !it.subresource).map(it => it.manager)

const operator: Recognise = ({ ownerReferences = [] }) => {
  const owner = ownerReferences.find(it => it.controller)
  if (!owner) return null
  const what = `${owner.kind} ${owner.name}`
  return { by: 'operator', what, where: what, seen: `its controller is ${what}`, until: 'that controller looks again' }
}

/** @see the labels that Flux's controllers put on what they apply */
const flux: Recognise = metadata => {
  for (const [group, kind] of [
    ['kustomize', 'Kustomization'],
    ['helm', 'HelmRelease'],
  ] as const) {
    // biome-ignore format: a table
    const key = `${group}.toolkit.fluxcd.io/name`
    const name = labelled(metadata, key)
    if (!name) continue
    const what = `Flux's ${kind} ${labelled(metadata, `${group}.toolkit.fluxcd.io/namespace`) ?? '?'}/${name}`
    const where = kind === 'Kustomization' ? `the overlay that ${what} reads` : `the values or postRenderers of ${what}`
    return { by: 'flux', what, where, seen: `label ${key}`, until: 'its next reconciliation' }
  }
  return null
}

/** `application:group/kind:namespace/name`. @see Argo CD's resource tracking by annotation */
const argo: Recognise = metadata => {
  const id = metadata.annotations?.['argocd.argoproj.io/tracking-id']
  const by = managers(metadata).find(it => /^argocd-(application-)?controller$/.test(it))
  if (!id && !by) return null
  const name = id?.split(':')[0] ?? metadata.labels?.['app.kubernetes.io/instance']
  const what = `Argo CD's Application ${name ?? '(unnamed)'}`
  const seen = id ? 'annotation argocd.argoproj.io/tracking-id' : `field manager ${by}`
  return { by: 'argo', what, where: `the source of ${what}`, seen, until: 'its next sync' }
}

const helm: Recognise = metadata => {
  const name = metadata.annotations?.['meta.helm.sh/release-name']
  const managed = metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm'
  if (!name && !managed) return null
  const release = name ? `${metadata.annotations?.['meta.helm.sh/release-namespace'] ?? '?'}/${name}` : '(unnamed)'
  const what = `Helm's release ${release}`
  const seen = name ? 'annotation meta.helm.sh/release-name' : 'label app.kubernetes.io/managed-by: Helm'
  return {
    by: 'helm',
    what,
    where: `the values or templates of ${what}`,
    seen,
    until: 'an upgrade that touches these fields',
  }
}

/** By a mark that others put on what they apply. */
const marks: readonly [key: string, by: string, what: string][] = [
  ['kapp.k14s.io/app', 'kapp', "kapp's app"],
  ['objectset.rio.cattle.io/id', 'fleet', "Fleet's bundle"],
  ['olm.owner', 'olm', "the operator lifecycle's"],
  ['applyset.kubernetes.io/part-of', 'applyset', "kubectl's apply set"],
]

const marked: Recognise = metadata => {
  for (const [key, by, what] of marks) {
    const value = labelled(metadata, key)
    if (value) return { by, what: `${what} ${value}`, where: 'its source', seen: `mark ${key}`, until: 'its next turn' }
  }
  return null
}

/** Tools that know their fields by their manager alone. */
const declared: Recognise = metadata => {
  const found = managers(metadata).find(it =>
    /^(terraform|opentofu|pulumi.*|kustomize-controller|helm-controller)$/i.test(it),
  )
  if (!found) return null
  return {
    by: found,
    what: `what ${found} declares`,
    where: 'its source',
    seen: `field manager ${found}`,
    until: 'its next turn',
  }
}

const recognisers: Recognise[] = [operator, flux, argo, helm, marked, declared]
