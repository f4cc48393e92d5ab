/** Asks a person on the terminal without showing the answer; undefined where there is none. One question at a time. */
export const askHidden = (): ((question: string) => Promise<string>) | undefined => {
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  let before: Promise<unknown> = Promise.resolve()
  return question => {
    const answer = before.then(() => ask(question))
    before = answer.catch(() => {})
    return answer
  }
}

const ask = (question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { stdin, stderr } = process
    let text = ''
    const finish = (settle: () => void) => {
      stdin.off('data', hear)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const hear = (chunk: Buffer) => {
      for (const letter of chunk.toString()) {
        if (letter === '\r' || letter === '\n' || letter === '\u0004') return finish(() => resolve(text))
        if (letter === '\u0003') return finish(() => reject(new Error('interrupted')))
        text = letter === '\u007f' || letter === '\b' ? text.slice(0, -1) : text + letter
      }
    }
    stderr.write(question)
    stdin.setRawMode(true)
    stdin.resume()
    stdin.on('data', hear)
  })
