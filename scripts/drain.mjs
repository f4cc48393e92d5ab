#!/usr/bin/env zx
import { start } from '../src/cli/start.mjs'

await start('drain')
