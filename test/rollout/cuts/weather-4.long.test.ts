import { weatherShare } from '../../support/fleet/storm.ts'

weatherShare(4, 4)
