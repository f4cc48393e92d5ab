import { readFileSync } from 'node:fs'
import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'
import { quiet } from './plays.ts'

/** A process that brings one play in force, to be killed: the play comes on stdin. Says `done` at the end. */

const want = JSON.parse(readFileSync(0, 'utf8')) as HostPlay
const ssh = createSsh({ bootSeconds: 5, connectTimeoutSeconds: 5 })
const report = { ...quiet, progress: (part: string) => console.log(part) }
const seen = await hostPlay.read(want, { ssh }, report)
console.log('looked')
if (hostPlay.diff(want, seen)) await hostPlay.apply(want, { ssh }, seen, report)
console.log('done')
await ssh.close()
