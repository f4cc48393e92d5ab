import * as assert from 'uvu/assert'
import type { Peer } from '../../../src/sandbox/kubernetes/nodes/policies.ts'
import { firewalls } from '../../../src/sandbox/kubernetes/nodes/policies.ts'
import type { Loose, Obj } from '../../../src/sandbox/kubernetes/objects/object.ts'
import { suite } from '../../support/suite.ts'

const { test } = suite('NetworkPolicies as rules')
const peer = (namespace: string, ip: string, labels: Record<string, string>, ports: Loose[] = []): Peer => ({
  namespace,
  ip,
  labels,
  ports,
})
const namespaces = ['one', 'two'].map(
  name => ({ metadata: { name, labels: { 'kubernetes.io/metadata.name': name, team: name } } }) as unknown as Obj,
)
const pods = [
  peer('one', '10.0.0.2', { app: 'a', egress: 'external' }, [{ name: 'web', containerPort: 8080, protocol: 'TCP' }]),
  peer('one', '10.0.0.3', { app: 'b' }, [{ name: 'web', containerPort: 9090 }]),
  peer('two', '10.0.0.4', { app: 'a' }),
]
const dns = peer('kube-system', '10.96.0.10', { 'k8s-app': 'kube-dns' })
const all = { cidr: '0.0.0.0/0', except: [], ports: [] }

const cases: { when: string; spec: Loose; expected: Loose }[] = [
  {
    when: 'no policy picks the pod',
    spec: { podSelector: { matchLabels: { app: 'none' } }, policyTypes: ['Egress'] },
    expected: undefined,
  },
  { when: 'deny all egress', spec: { podSelector: {}, policyTypes: ['Egress'] }, expected: { egress: [] } },
  {
    when: 'deny all, both ways',
    spec: { podSelector: {}, policyTypes: ['Egress', 'Ingress'] },
    expected: { egress: [], ingress: [] },
  },
  {
    when: 'an empty rule allows everything',
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
    expected: { egress: [all] },
  },
  {
    when: 'a block but not a part of it, on a port',
    spec: {
      podSelector: { matchLabels: { egress: 'external' } },
      policyTypes: ['Egress'],
      egress: [
        {
          to: [{ ipBlock: { cidr: '172.16.28.0/22', except: ['172.16.28.1/32'] } }],
          ports: [{ protocol: 'TCP', port: 3128 }],
        },
      ],
    },
    expected: {
      egress: [{ cidr: '172.16.28.0/22', except: ['172.16.28.1/32'], ports: [{ protocol: 'TCP', port: 3128 }] }],
    },
  },
  {
    when: 'the DNS of the cluster, which has no pod',
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        {
          to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
          ports: [{ protocol: 'UDP', port: 53 }],
        },
      ],
    },
    expected: { egress: [{ cidr: '10.96.0.10/32', except: [], ports: [{ protocol: 'UDP', port: 53 }] }] },
  },
  {
    when: 'pods of the same namespace',
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: { matchLabels: { app: 'b' } } }] }],
    },
    expected: { egress: [{ cidr: '10.0.0.3/32', except: [], ports: [] }] },
  },
  {
    when: 'namespaces by expression',
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [
        { from: [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['two'] }] } }] },
      ],
    },
    expected: { ingress: [{ cidr: '10.0.0.4/32', except: [], ports: [] }] },
  },
  {
    when: 'a named port of the receiver, in',
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'web' }] }] },
    expected: { ingress: [{ cidr: '0.0.0.0/0', except: [], ports: [{ protocol: 'TCP', port: 8080 }] }] },
  },
  {
    when: 'a named port of the receiver, out',
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: { matchLabels: { app: 'b' } } }], ports: [{ port: 'web' }] }],
    },
    expected: { egress: [{ cidr: '10.0.0.3/32', except: [], ports: [{ protocol: 'TCP', port: 9090 }] }] },
  },
  {
    when: 'only ports we cannot enforce allow nothing',
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ protocol: 'SCTP', port: 1 }] }] },
    expected: { egress: [] },
  },
  {
    when: 'a peer that matches nobody allows nothing',
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: { matchLabels: { app: 'none' } } }] }],
    },
    expected: { egress: [] },
  },
  {
    when: 'a range of ports',
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ ports: [{ protocol: 'TCP', port: 100, endPort: 200 }] }],
    },
    expected: { egress: [{ ...all, ports: [{ protocol: 'TCP', port: 100, endPort: 200 }] }] },
  },
]

for (const { when, spec, expected } of cases) {
  test(when, () => {
    const policies = [{ metadata: { name: 'p', namespace: 'one' }, spec } as unknown as Obj]
    const found = firewalls({ pods, virtual: [dns], namespaces, policies })
    const mine = found.find(it => it.podIp === '10.0.0.2')
    assert.equal(mine, expected && { podIp: '10.0.0.2', ...expected })
    assert.not(
      found.some(it => it.podIp === '10.0.0.4'),
      'another namespace is left alone',
    )
  })
}

test('several policies add up', () => {
  const block = (cidr: string) => ({
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [{ to: [{ ipBlock: { cidr } }] }],
  })
  const policies = ['1.0.0.0/8', '2.0.0.0/8'].map(
    cidr => ({ metadata: { name: cidr, namespace: 'one' }, spec: block(cidr) }) as unknown as Obj,
  )
  const [first] = firewalls({ pods, virtual: [], namespaces, policies })
  assert.equal(
    first?.egress?.map(it => it.cidr),
    ['1.0.0.0/8', '2.0.0.0/8'],
  )
})
