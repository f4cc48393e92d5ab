import { weatherShare } from '../../support/fleet/storm.ts'

weatherShare(2, 4)
