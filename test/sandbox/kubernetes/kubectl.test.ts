import * as assert from 'uvu/assert'
import { findKubectl } from '../../support/kubectl.ts'
import { suite } from '../../support/suite.ts'
import type { World } from './world.ts'
import { createWorld, deployment } from './world.ts'

const { test, before, after } = suite('the real kubectl on the emulated API')
const found = findKubectl()
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

const manifest = (replicas: number) => JSON.stringify(deployment('web', replicas))
const kubectl = async (line: string | string[], { input = '', exit = 0 } = {}): Promise<string> => {
  const { stdout, stderr, exitCode } = await world.kubectl(line, input)
  assert.is(exitCode, exit, `kubectl ${line}: ${stderr}`)
  return `${stdout}${stderr}`
}

if (found.path === undefined) {
  test('is left out', () => console.log(`skipped, ${found.why}`))
} else {
  for (const { line, input, exit, says } of [
    { line: 'apply -f -', input: manifest(2), says: 'deployment.apps/web created' },
    { line: 'apply -f -', input: manifest(2), says: 'unchanged' },
    { line: 'rollout status deployment/web --timeout=20s', says: 'successfully rolled out' },
    { line: 'diff -f -', input: manifest(2), says: '' },
    { line: 'diff -f -', input: manifest(3), exit: 1, says: '+  replicas: 3' },
    {
      line: 'apply --server-side -f -',
      input: manifest(3),
      exit: 1,
      says: 'conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    },
    { line: 'apply --server-side --force-conflicts -f -', input: manifest(3), says: 'serverside-applied' },
    { line: 'get deployment web -o jsonpath={.spec.replicas}', says: '3' },
    { line: 'label deployment web egress=external', says: 'labeled' },
    { line: 'get deployments -l egress=external -o name', says: 'deployment.apps/web' },
    { line: 'annotate deployment web why=test', says: 'annotated' },
    {
      line: [
        'patch',
        'deployment',
        'web',
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}',
      ],
      says: 'patched',
    },
    {
      line: ['patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"remove","path":"/metadata/labels/egress"}]'],
      says: 'patched',
    },
    {
      line: ['patch', 'deployment', 'web', '--type=merge', '-p', '{"metadata":{"labels":{"a":"b"}}}'],
      says: 'patched',
    },
    { line: 'rollout status deployment/web --timeout=20s', says: 'successfully rolled out' },
    { line: 'scale deployment web --replicas=1', says: 'scaled' },
    { line: 'wait --for=jsonpath={.status.replicas}=1 deployment/web --timeout=20s', says: 'condition met' },
    { line: 'rollout restart deployment/web', says: 'restarted' },
    { line: 'rollout status deployment/web --timeout=20s', says: 'successfully rolled out' },
    { line: 'rollout undo deployment/web', says: 'rolled back' },
    { line: 'rollout status deployment/web --timeout=20s', says: 'successfully rolled out' },
    { line: 'wait --for=condition=Available deployment/web --timeout=20s', says: 'condition met' },
    { line: 'get pods -o wide', says: 'NOMINATED NODE' },
    { line: 'get nodes', says: 'Ready' },
    { line: 'describe deployment web', says: 'NewReplicaSetAvailable' },
    { line: 'logs deployment/web', says: 'hello' },
    { line: 'exec deployment/web -- fails', exit: 3, says: 'out of fails' },
    { line: 'create namespace other', says: 'created' },
    { line: 'create configmap settings -n other --from-literal=a=b', says: 'created' },
    { line: 'get configmap settings -n other -o jsonpath={.data.a}', says: 'b' },
    { line: 'expose deployment web --port=80', says: 'exposed' },
    { line: 'describe service web', says: 'Endpoints' },
    { line: 'auth can-i create pods', says: 'yes' },
    { line: 'auth can-i --list', says: '*.*' },
    { line: 'auth whoami', says: 'kubernetes-admin' },
    { line: 'auth can-i delete pods --as jane', exit: 1, says: 'no' },
    { line: 'create role looks --verb=get,list --resource=pods,pods/log', says: 'created' },
    { line: 'create serviceaccount engine', says: 'created' },
    { line: 'create rolebinding looks --role=looks --serviceaccount=default:engine', says: 'created' },
    { line: 'auth can-i get pods/log --as system:serviceaccount:default:engine', says: 'yes' },
    { line: 'auth can-i get secrets --as system:serviceaccount:default:engine', exit: 1, says: 'no' },
    { line: 'create token engine', says: '.' },
    { line: 'delete pod none --as jane', exit: 1, says: 'cannot delete resource "pods"' },
    { line: 'rollout history deployment/web', says: 'REVISION' },
    { line: 'rollout pause deployment/web', says: 'paused' },
    { line: 'rollout resume deployment/web', says: 'resumed' },
    { line: 'set env deployment/web B=2', says: 'env updated' },
    { line: 'rollout status deployment/web --timeout=20s', says: 'successfully rolled out' },
    { line: 'logs deployment/web --previous', exit: 1, says: 'previous terminated container' },
    { line: 'events --for deployment/web', says: 'ScalingReplicaSet' },
    { line: 'create poddisruptionbudget web --selector=app=web --max-unavailable=50%', says: 'created' },
    { line: 'get poddisruptionbudget web -o jsonpath={.spec.maxUnavailable}', says: '50%' },
    { line: 'create quota all --hard=pods=20,requests.cpu=2', says: 'created' },
    { line: 'get quota all -o jsonpath={.spec.hard}', says: '"requests.cpu":"2"' },
    { line: 'delete quota all', says: 'deleted' },
    { line: 'create cronjob tick --image=demo:1 --schedule=@yearly -- true', says: 'created' },
    { line: 'create job once --from=cronjob/tick', says: 'created' },
    { line: 'get job once -o jsonpath={..command}', says: '["true"]' },
    { line: 'delete job,cronjob --all', says: 'deleted' },
    { line: 'taint nodes node-1 k=v:NoSchedule', says: 'tainted' },
    { line: 'taint nodes node-1 k-', says: 'untainted' },
    { line: 'annotate deployment web why-', says: 'annotated' },
    { line: 'delete namespace other --timeout=20s', says: 'deleted' },
    { line: 'delete deployment web --cascade=foreground --timeout=20s', says: 'deleted' },
    { line: 'get pods', says: 'No resources found' },
  ]) {
    test(`${Array.isArray(line) ? line.join(' ') : line}${exit ? `, exit ${exit}` : ''}`, async () => {
      world.fake.onExec((command, it) => {
        it.stdout.write(`out of ${command[0]}`)
        it.end(3)
      })
      assert.match(await kubectl(line, { ...(input && { input }), ...(exit && { exit }) }), says)
    })
  }
}
