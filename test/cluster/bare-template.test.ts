import * as assert from 'uvu/assert'
import type { Loose } from '../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../support/suite.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { IMAGE } from './objects.ts'

const { test, before, after } = suite('cluster: a template without metadata')
let cluster: Cluster
before(async () => {
  cluster = await openCluster('bare')
})
after(() => cluster?.close())

const at = (name?: string) => cluster.path('batch/v1', 'cronjobs', name)
const meta = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' } }
const container = { name: 'main', image: IMAGE, command: ['sleep', '20'] }
const template = { spec: { restartPolicy: 'Never', containers: [container] } }
const cronJob = { ...meta, spec: { schedule: '0 1 1 1 *', suspend: true, jobTemplate: { spec: { template } } } }
const labelled = (labels: Loose) => ({
  ...meta,
  spec: { jobTemplate: { spec: { template: { metadata: { labels } } } } },
})
const templateIn = ({ spec }: Loose) => spec.jobTemplate.spec.template
const fieldsOf = (object: Loose, manager: string): Loose =>
  object.metadata.managedFields.find((it: Loose) => it.manager === manager)?.fieldsV1

test('who gives up its only label there is in nobody’s way', async () => {
  const made = await cluster.call('POST', `${at()}?fieldManager=owner`, cronJob)
  assert.is(made.code, 201, made.body.message)
  assert.not('f:metadata' in fieldsOf(made.body, 'owner')['f:spec']['f:jobTemplate']['f:spec']['f:template'])
  const moved = await cluster.apply(at('nightly'), labelled({ egress: 'external' }), 'mover')
  assert.is(moved.code, 200, moved.body.message)
  assert.equal(templateIn(moved.body).metadata.labels, { egress: 'external' })
  const back = await cluster.apply(at('nightly'), meta, 'mover')
  assert.is(back.code, 200, back.body.message)
  assert.equal(templateIn(back.body).metadata?.labels, undefined)
  assert.is(fieldsOf(back.body, 'mover'), undefined)
  assert.equal(templateIn(back.body).spec, templateIn(made.body).spec)
})
