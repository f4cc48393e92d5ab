import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * `npm run test:cluster [-- --context NAME] [PART OF A FILE ...]`: the suite of this folder against the cluster of
 * KUBECONFIG, else against the emulator. Only this asks the environment: `npm test` never meets somebody's cluster.
 */
const { values, positionals } = parseArgs({ options: { context: { type: 'string' } }, allowPositionals: true })
const { KUBECONFIG = '', KUBE_CONTEXT = '' } = process.env
const context = values.context ?? KUBE_CONTEXT
if (!KUBECONFIG && context) {
  console.error(`--context ${context} needs KUBECONFIG`)
  process.exit(2)
}
console.log(
  KUBECONFIG ? `against ${KUBECONFIG}${context && `, context ${context}`}` : 'against the emulator (no KUBECONFIG)',
)
const parts = positionals.length > 0 ? positionals.map(it => `cluster/${it}`) : ['cluster/']
const child = spawn(
  process.execPath,
  [join(dirname(dirname(fileURLToPath(import.meta.url))), 'run.ts'), 'unit', ...parts],
  { stdio: 'inherit', env: { ...process.env, EGRESS_TEST_KUBECONFIG: KUBECONFIG, EGRESS_TEST_CONTEXT: context } },
)
child.on('close', code => {
  process.exitCode = code ?? 1
})
