import { changeCuts, shareOut } from '../../support/fleet/shares.ts'
import { openRange } from '../../support/fleet/trial.ts'

shareOut('lines and writes', () => openRange('whole'), changeCuts, { share: 3, of: 6 })
