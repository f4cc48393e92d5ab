#!/usr/bin/env node
import { start } from '../src/cli/start.mjs'

await start('explain')
