import { hostileRun } from './hostile-run.ts'

// Ten thousand are in hostile.long.test.ts.
hostileRun('a thousand hostile requests', 27, 1000)
