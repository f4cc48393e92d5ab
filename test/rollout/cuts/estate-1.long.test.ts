import { estateCuts, openEstate } from '../../support/fleet/estate.ts'
import { shareOut } from '../../support/fleet/shares.ts'

shareOut('two tenants and a partner', () => openEstate('whole'), estateCuts, { share: 1, of: 4 })
