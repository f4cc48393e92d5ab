/** What an operator can act on: what happened, why, and what to do next. Anything else thrown is a bug. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly why: string
  readonly next: string
  /** The exit code of the Contract this problem ends a command with. */
  readonly exit: ExitCode
  /** Whose wish cannot be granted: a member of the Want of a step. Who knows where that was written can tell. */
  readonly of: { step: string; field: string } | undefined
  /** Where it was written; `what` says it too. */
  readonly at: { file: string; line: number; column: number } | undefined

  constructor(what: string, { why, next, exit = 1, cause, of, at }: ProblemParts) {
    super(what, { cause })
    this.why = why
    this.next = next
    this.exit = exit
    this.of = of
    this.at = at
  }
}

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 130

export type ProblemParts = { why: string; next: string; exit?: ExitCode; cause?: unknown } & Partial<
  Pick<Problem, 'of' | 'at'>
>

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
