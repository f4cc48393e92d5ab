import { spawn } from 'node:child_process'

export type RunOptions = { input?: string; accept?: number[]; env?: NodeJS.ProcessEnv }

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What hosts and our own commands get; the operator's PATH may lack the sbin directories. */
export const plainEnvironment = { PATH: path, LANG: 'C.UTF-8' }

/** Runs a command and gives its stdout; any other exit code than those accepted throws with what it wrote to stderr. */
export const run = (command: string, args: string[], { input, accept = [0], env }: RunOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: env ?? { ...process.env, PATH: `${path}:${process.env.PATH ?? ''}`, LC_ALL: 'C' },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout!.on('data', data => {
      out += data
    })
    child.stderr!.on('data', data => {
      err += data
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code !== null && accept.includes(code)) resolve(out)
      else
        reject(new Error(`${[command, ...args].join(' ')}: ${signal ?? `exit ${code}`}: ${err.trim() || out.trim()}`))
    })
    // a command that ends before it has read everything says why on stderr
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })

/** A word for sh, whatever is in it. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Work on the same key runs one after the other, on different keys at once. */
export const turns = () => {
  const last = new Map<string, Promise<unknown>>()
  return <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, turn)
    const forget = () => {
      if (last.get(key) === turn) last.delete(key)
    }
    turn.then(forget, forget)
    return turn
  }
}

export type Turns = ReturnType<typeof turns>

export const pause = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
