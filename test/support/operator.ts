import { type HostPlay, hostPlay } from '../../src/hosts/play.ts'
import { createSsh } from '../../src/hosts/ssh.ts'

/** `operator.ts PLAY`: one run of a play as a process that can be killed. Says `begin` before it changes. */
const want: HostPlay = JSON.parse(process.argv[2]!)
const ssh = createSsh({ bootSeconds: 2, connectTimeoutSeconds: 2 })
const say = (text: string) => console.log(text)
const report = { waiting: say, progress: say, signal: new AbortController().signal }
const seen = await hostPlay.read(want, { ssh }, report)
say('begin')
await hostPlay.apply(want, { ssh }, seen, report)
await ssh.close()
