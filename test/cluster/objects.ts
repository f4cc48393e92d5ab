import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'

/** Any image will do where nothing runs; this one is small, and in every cluster that can pull. */
export const IMAGE = 'busybox:1.36'

export const map = (name: string, more: Loose = {}): Loose => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more.metadata },
  data: { a: '1', ...more.data },
})

const template = (name: string, spec: Loose): Loose => ({
  metadata: { labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: IMAGE, command: ['sleep', '3600'] }],
    ...spec,
  },
})

/** A workload of that kind; without replicas it runs nothing. */
export const workload = (kind: string, name: string, spec: Loose = {}, pod: Loose = {}): Loose => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    ...(kind !== 'DaemonSet' && { replicas: 0 }),
    ...(kind === 'StatefulSet' && { serviceName: name }),
    selector: { matchLabels: { app: name } },
    template: template(name, pod),
    ...spec,
  },
})

export const deployment = (name: string, spec: Loose = {}, pod: Loose = {}): Loose =>
  workload('Deployment', name, spec, pod)

export const pod = (name: string, spec: Loose = {}, metadata: Loose = {}): Loose => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...template(name, spec),
  metadata: { name, labels: { app: name }, ...metadata },
})
