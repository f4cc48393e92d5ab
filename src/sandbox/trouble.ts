/** What a person can act on: what happened, why, and what to do next. `exit` is the exit code it ends a command with. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
  readonly why: string
  readonly next: string
  readonly exit: 1 | 2

  constructor(what: string, { why, next, exit = 1 }: { why: string; next: string; exit?: 1 | 2 }) {
    super(what)
    this.why = why
    this.next = next
    this.exit = exit
  }

  lines(): string {
    return `✖ ${this.message}\n  why   ${this.why}\n  next  ${this.next}`
  }
}
