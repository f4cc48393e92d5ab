import { every, upTo } from '../../support/fleet/every.ts'

/** A read leaves nothing behind: what a run that dies after it leaves is what the line or write before it left. */
every('after every write, there and back, some reads, and by SIGKILL', ({ there, back }) => [
  ...upTo(Math.max(there.writes, back.writes)).map(writes => ({
    when: `write ${writes}`,
    there: { writes },
    back: { writes },
    resumed: true,
  })),
  ...upTo(there.reads, { share: 0, of: 90 }).map(reads => ({
    when: `read ${reads}`,
    there: { reads },
    back: { reads: Math.ceil((back.reads * reads) / there.reads) },
    resumed: true,
  })),
  ...upTo(10).map(n => ({
    when: `killed, ${n}`,
    there: { killedAfterMs: n * 350 },
    back: { killedAfterMs: n * 120 },
    resumed: n % 2 === 0,
  })),
])
