import { readCuts, shareOut } from '../../support/fleet/shares.ts'
import { openRange } from '../../support/fleet/trial.ts'

shareOut('reads', () => openRange('whole'), readCuts, { share: 3, of: 8 })
