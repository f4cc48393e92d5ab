import { noJournal } from '../../src/engine/journal.ts'
import { connect, unhurried } from './cloud.ts'
import { deploy, destroy } from './runs.ts'
import { wishIn } from './tenants.ts'

/** `node driver.ts URL ROOT deploy|destroy`: one run as a process of its own, so that it can really be killed. */
const [url = '', root = '', act] = process.argv.slice(2)
const wished = await wishIn(root)
const clients = await connect(url, 'bench', { pace: unhurried(), baseMs: 5, capMs: 40 })
process.stdout.write('begun\n')
await (act === 'destroy' ? destroy : deploy)(wished, clients, noJournal('driver'))
