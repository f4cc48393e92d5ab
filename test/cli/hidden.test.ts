import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { askHidden } from '../../src/cli/hidden.ts'
import { suite } from '../support/suite.ts'

const { test } = suite('asking without showing')

const module = join(import.meta.dirname, '../../src/cli/hidden.ts')

/** Runs it on a terminal of its own, and types. */
const onTerminal = (code: string, typed: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const command = `${process.execPath} --input-type=module -e '${code}'`
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => {
      // Typed when it is asked for: before that the terminal would echo it.
      if (!shown.includes('word: ') && `${shown}${chunk}`.includes('word: '))
        setTimeout(() => child.stdin.write(typed), 100)
      shown += chunk
    })
    child.on('error', reject)
    child.on('close', () => resolve(shown))
  })

test('where there is no terminal nobody is asked', () => {
  const code = `import { askHidden } from '${module}'; process.stdout.write(String(askHidden()))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', input: '' })
  assert.is(said, 'undefined')
  assert.type(askHidden, 'function')
})

// The terminal comes from util-linux.
if (process.platform === 'linux')
  test('what is typed is not shown, can be corrected, and ends with the line', async () => {
    const code = `import { askHidden } from "${module}"
    const word = await askHidden()("word: ")
    console.log("length " + word.length + (word === "sesame é" ? " right" : " wrong"))`
    const shown = await onTerminal(code, 'sesamx\u007fe é\r')
    assert.match(shown, /length 8 right/)
    assert.not.match(shown, /sesam/)
  })
