import { weatherShare } from '../../support/fleet/storm.ts'

weatherShare(3, 4)
