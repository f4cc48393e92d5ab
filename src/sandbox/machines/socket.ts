import { request } from 'node:http'

/** Asks one of the sandbox's processes through its unix socket; JSON both ways. */
export const ask = <T>(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  milliseconds = 30_000,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: milliseconds }, response => {
      let text = ''
      response.on('data', data => {
        text += data
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as T)
        else reject(new Error(text || `${path} answered ${response.statusCode}`))
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`${socketPath} does not answer`)))
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
