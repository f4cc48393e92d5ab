import { openJournal } from '../../src/engine/journal.ts'
import { connect } from './cloud.ts'
import { planned, provision } from './provision.ts'
import { wishIn } from './tenants.ts'

/** `node weigh.ts URL ROOT`: plans, deploys and plans again as one process, and says how large it was after each. */
const [url = '', root = ''] = process.argv.slice(2)
const megabytes: Record<string, number> = {}
const weigh = (when: string) => {
  megabytes[when] = Math.round(process.memoryUsage().rss / 2 ** 20)
}
const clients = await connect(url, 'bench')
weigh('clients')
const { cloud } = await wishIn(root)
weigh('inventory')
await planned(cloud, clients)
weigh('plan')
const journal = openJournal(root, 'weigh')
await provision(cloud, clients, { journal })
journal.close()
weigh('deploy')
megabytes.most = Math.round(process.resourceUsage().maxRSS / 1024)
process.stdout.write(JSON.stringify(megabytes))
