import { everyPod, type Probes } from '../probe.ts'
import { gate } from './gate.ts'
import { fail, inconclusive, pass, worst } from './measure.ts'
import type { Subject } from './subject.ts'

const API = 'https://kubernetes.default.svc/'

/** Names resolve and Services answer as before. Uses the pod's own NO_PROXY: through the proxy this must fail. */
export const clusterWorks = gate<Subject, Probes>('DNS and in-cluster traffic work', {
  interval: '500ms',
  count: 1,
  async ask(subject, probes) {
    const verdicts = await everyPod(subject, probes, async pod => {
      const answer = await probes.curl(pod, ['-k', '-o', '/dev/null', '-w', '%{http_code} %{http_connect}', API])
      if ('unheard' in answer) return inconclusive(answer.unheard)
      const from = `${pod.metadata.name} to ${API}`
      const [status, connect] = answer.stdout.trim().split(' ').map(Number)
      if (connect) return fail(`${from}: went to the proxy, NO_PROXY does not cover it`)
      // Any status: 401 and 403 are answers of the API server too.
      if (answer.code === 0 && status) return pass
      if (answer.code === 6) return fail(`${from}: the name does not resolve`)
      if (answer.code === 7 || answer.code === 28) return fail(`${from}: no connection (curl exit ${answer.code})`)
      return inconclusive(`${from}: curl exit ${answer.code} ${answer.stderr.trim()}`)
    })
    return worst(verdicts)
  },
})
