import { hostileRun } from './hostile-run.ts'

hostileRun('ten thousand hostile requests', 27, 10_000)
