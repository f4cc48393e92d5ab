import { readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { BlockList, createServer as createTcpServer } from 'node:net'

/**
 * The web of the sandbox's internet, run inside its namespace: what-is-my-ip, the partner that admits some ranges, and a
 * server that answers for everybody else. The control socket tells these ranges.
 */
type Settings = {
  whatIsMyIp: string
  partner: string
  web: string
  /** The port of the partner's database. */
  database: number
  certificate: string
  key: string
  socket: string
}

const settings = JSON.parse(process.argv[2]!) as Settings
let admitted = new BlockList()

const address = (it: string | undefined) => (it ?? '').replace(/^::ffff:/, '')

const whatIsMyIp: RequestListener = (request, response) => {
  const ip = address(request.socket.remoteAddress)
  const json = request.url?.split('?')[0] === '/json'
  response.setHeader('content-type', json ? 'application/json' : 'text/plain')
  // a cached answer would be a lie about the next caller
  response.setHeader('cache-control', 'no-store')
  response.end(json ? JSON.stringify({ ip }) : `${ip}\n`)
}

const partner: RequestListener = (request, response) => {
  const ip = address(request.socket.remoteAddress)
  const welcome = admitted.check(ip)
  response.statusCode = welcome ? 200 : 403
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify(welcome ? { status: 'ok', ip } : { error: `address ${ip} is not admitted`, ip })}\n`)
}

const web: RequestListener = (request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`${request.method} ${request.headers.host}${request.url}\n`)
}

const tls = { cert: readFileSync(settings.certificate), key: readFileSync(settings.key) }
for (const [host, listener] of [
  [settings.whatIsMyIp, whatIsMyIp],
  [settings.partner, partner],
  [settings.web, web],
] as const) {
  createServer(listener).listen(80, host)
  createSecureServer(tls, listener).listen(443, host)
}
// the partner's second port, for allowlists that name ports
createSecureServer(tls, partner).listen(8443, settings.partner)
// its database hangs up on whoever says anything; the packet filter before it knows who may come at all
createTcpServer(socket => {
  socket.on('error', () => undefined)
  socket.on('data', () => socket.end())
}).listen(settings.database, settings.partner)

const listOf = (ranges: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges.filter(it => !it.includes(':'))) {
    const [net = '', bits = '32'] = range.split('/')
    list.addSubnet(net, Number(bits))
  }
  return list
}

rmSync(settings.socket, { force: true })
createServer((request, response) => {
  let body = ''
  request.on('data', data => {
    body += data
  })
  request.on('end', () => {
    if (request.method === 'PUT') admitted = listOf((JSON.parse(body) as { admitted: string[] }).admitted)
    response.setHeader('content-type', 'application/json')
    response.end('{}')
  })
}).listen(settings.socket)
