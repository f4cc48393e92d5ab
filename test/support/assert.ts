export * as assert from 'uvu/assert'
