import { weatherShare } from '../../support/fleet/storm.ts'

weatherShare(1, 4)
