import { Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput } from 'listr2'
import type { Progress, StageEnd } from './progress.ts'
import { seconds } from './progress.ts'
import { createWaits } from './waits.ts'

// biome-ignore lint/suspicious/noExplicitAny: listr2 types its wrapper by renderer classes that are of no interest here
type Task = ListrTaskWrapper<unknown, any, any>

/** A live tree on a terminal: a row a stage, and under the current one what it waits for. Drawn on stderr. */
export const liveProgress = (titles: readonly string[], stream: NodeJS.WriteStream): Progress => {
  const turns = new Map(titles.map(title => [title, Promise.withResolvers<(task: Task) => Promise<void>>()]))
  const waits = createWaits()
  const list = new Listr(
    titles.map(title => ({
      title,
      task: async (_context: unknown, task: Task) => (await turns.get(title)!.promise)(task),
    })),
    {
      concurrent: false,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: {
        showErrorMessage: false,
        collapseErrors: false,
        collapseSkips: false,
        showSkipMessage: false,
        // Talk goes to stderr: stdout is for data.
        logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stream, stream) }),
      },
    },
  )
  const ended = list.run()
  return {
    stage: (title, run) =>
      new Promise((resolve, reject) => {
        const turn = turns.get(title)
        if (!turn) return reject(new Error(`no stage is titled ${title}`))
        turn.resolve(task =>
          drawn(title, task, waits, run)
            .then(resolve, reject)
            .then(() => failIf(task)),
        )
      }),
    watch: event => waits.see(event),
    async close() {
      for (const turn of turns.values()) turn.resolve(async task => task.skip())
      await ended
    },
  }
}

/** Redraws a few times a second: a redraw per event would cost more than the work (measured). */
const drawn = async <T extends StageEnd>(
  title: string,
  task: Task,
  waits: ReturnType<typeof createWaits>,
  run: (say: (line: string) => void) => Promise<T>,
): Promise<T> => {
  const began = Date.now()
  let said = ''
  const draw = () => {
    const lines = [...(said ? [said] : []), ...waits.lines(2)]
    if (lines.length > 0) task.output = lines.join(' · ')
  }
  const timer = setInterval(draw, 150)
  try {
    const end = await run(line => {
      said = line
    })
    task.title = `${title.padEnd(22)} ${end.summary} (${seconds(Date.now() - began)})`
    failed.set(task, !end.ok)
    return end
  } catch (error) {
    failed.set(task, true)
    throw error
  } finally {
    clearInterval(timer)
    task.output = ''
  }
}

const failed = new WeakMap<object, boolean>()

const failIf = (task: Task) => {
  if (failed.get(task)) throw new Error('this stage failed')
}
