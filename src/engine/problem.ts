/** What an operator can act on: what happened, why, and what to do next. Anything else thrown is a bug. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly why: string
  readonly next: string
  /** The exit code of the Contract this problem ends a command with. */
  readonly exit: ExitCode

  constructor(what: string, { why, next, exit = 1, cause }: ProblemParts) {
    super(what, { cause })
    this.why = why
    this.next = next
    this.exit = exit
  }
}

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 130

export type ProblemParts = { why: string; next: string; exit?: ExitCode; cause?: unknown }

/** Several problems found at once, so that a person can mend them all before the next try. */
export class Problems extends Error {
  override readonly name = 'Problems'
  readonly all: readonly Problem[]

  constructor(all: readonly Problem[]) {
    super(`${all.length} problems: ${all.map(it => it.message).join('; ')}`)
    this.all = all
  }

  get exit(): ExitCode {
    return this.all[0]?.exit ?? 1
  }
}
