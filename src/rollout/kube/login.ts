import { dirname, resolve } from 'node:path'
import { execa } from 'execa'
import { contentOf, type Entry, readBeside, type Wrong } from './kubeconfig-file.ts'

/** What proves who we are. Secret: never print it. */
export type Credentials = { token?: string; cert?: string; key?: string }

/** Who we are, as long as that holds. `renewed`: the server did not take these; null: there are no others. */
export type Login = {
  current(): Promise<Credentials>
  renewed(refused: Credentials): Promise<Credentials | null>
}

type LoginOptions = {
  /** Of the user. */
  name: string
  /** What a plugin is told that asks for it. */
  cluster: object
  wrong: Wrong
  onSecret?: ((secret: string) => void) | undefined
}

/** The user of a kubeconfig: a token, a file with one, a client certificate, or a login plugin. */
export const loginOf = (user: Entry, { name, cluster, wrong, onSecret = () => undefined }: LoginOptions): Login => {
  const { data } = user
  if (data['auth-provider'])
    throw wrong(
      `user ${name} needs an auth-provider, which Kubernetes 1.26 took out`,
      'use the login plugin (users.exec) that replaced it',
    )
  if (data.username || data.password)
    throw wrong(`user ${name} has a password, which Kubernetes 1.19 took out`, 'use a token or a client certificate')
  if (data.exec) return kept(() => askPlugin(user, name, cluster, wrong), onSecret)
  return kept(async () => {
    const [cert, key] = await Promise.all(['client-certificate', 'client-key'].map(it => contentOf(user, it, wrong)))
    const inFile = typeof data.tokenFile === 'string' && data.tokenFile !== ''
    const token = inFile ? (await readBeside(user.file, String(data.tokenFile), wrong)).trim() : data.token
    // Whoever keeps a token in a file writes a new one before the old one ends.
    const until = inFile ? Date.now() + 60_000 : Number.POSITIVE_INFINITY
    const given = { ...(token ? { token: String(token) } : {}), ...(cert && key && { cert, key }) }
    return { given, until }
  }, onSecret)
}

type Given = { given: Credentials; until: number }

/** Asked for once, by however many calls; again when they end, or when they are refused. */
const kept = (ask: () => Promise<Given>, onSecret: (secret: string) => void): Login => {
  let last: Promise<Given> | undefined
  const fresh = () => {
    const asked = ask()
    last = asked
    asked.then(
      ({ given: { token, key } }) => {
        for (const it of [token, key]) if (it) onSecret(it)
      },
      () => {
        if (last === asked) last = undefined
      },
    )
    return asked
  }
  /** The next after these, which another call may have asked for already. */
  const after = (before: Promise<Given> | undefined) => (last === before ? undefined : last) ?? fresh()
  return {
    async current() {
      const before = last
      const known = await before
      return (known && known.until > Date.now() ? known : await after(before)).given
    },
    async renewed(refused) {
      const before = last
      const known = await before
      const { given } = known && known.given !== refused ? known : await after(before)
      return JSON.stringify(given) === JSON.stringify(refused) ? null : given
    },
  }
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
const SECONDS = 60
/** A call that begins now must not end after its credentials. */
const EARLY_MS = 10_000

type Plugin = {
  apiVersion?: string
  command?: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  installHint?: string
  interactiveMode?: string
  provideClusterInfo?: boolean
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
const askPlugin = async (user: Entry, name: string, cluster: object, wrong: Wrong): Promise<Given> => {
  const plugin = user.data.exec as Plugin
  const { apiVersion = '', command = '', args, env, installHint, interactiveMode = 'IfAvailable' } = plugin
  if (!VERSIONS.includes(apiVersion)) throw wrong(`the login plugin of ${name} speaks ${apiVersion || 'no version'}`)
  const interactive = interactiveMode !== 'Never' && process.stdin.isTTY === true
  if (interactiveMode === 'Always' && !interactive)
    throw wrong(`the login plugin of ${name} wants to ask a person`, 'run this on a terminal')
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(plugin.provideClusterInfo && { cluster }) },
  }
  // As kubectl has it: a path is meant from the file that names it, a bare name from PATH.
  const program = command.includes('/') ? resolve(dirname(user.file), command) : command
  const { exitCode, stdout, stderr, code, timedOut } = await execa(program, args ?? [], {
    reject: false,
    timeout: interactive ? 300_000 : SECONDS * 1000,
    killDescendants: true,
    stdin: interactive ? 'inherit' : 'ignore',
    stderr: interactive ? ['pipe', 'inherit'] : 'pipe',
    env: {
      ...Object.fromEntries((env ?? []).map(it => [it.name, it.value])),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
  })
  if (code === 'ENOENT')
    throw wrong(`the login plugin ${command} of ${name} is not there`, installHint?.trim() || `install ${command}`)
  if (exitCode !== 0) {
    const why = timedOut ? `did not end within ${SECONDS} s` : `ended with ${exitCode ?? code ?? 'a signal'}`
    const said = stderr.trim().split('\n').at(-1)?.slice(0, 300)
    throw wrong(
      `the login plugin ${command} of ${name} ${why}${said ? `: ${said}` : ''}`,
      'log in anew, then run again',
    )
  }
  const given = credentialsIn(stdout, apiVersion)
  if (!given) throw wrong(`the login plugin ${command} of ${name} gave no ${apiVersion} ExecCredential with a status`)
  return given
}

const credentialsIn = (text: string, apiVersion: string): Given | null => {
  type Answer = { apiVersion?: string; kind?: string; status?: Record<string, string | undefined> }
  let answer: Answer
  try {
    answer = JSON.parse(text) as Answer
  } catch {
    return null
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = answer?.status ?? {}
  const right = answer?.kind === 'ExecCredential' && answer.apiVersion === apiVersion
  if (!right || !(token || (cert && key))) return null
  const ends = expirationTimestamp === undefined ? Number.NaN : Date.parse(expirationTimestamp)
  const until = Number.isNaN(ends) ? Number.POSITIVE_INFINITY : ends - EARLY_MS
  return { given: { ...(token && { token }), ...(cert && key && { cert, key }) }, until }
}
