import { cutShare } from '../../support/fleet/shares.ts'

cutShare(5)
