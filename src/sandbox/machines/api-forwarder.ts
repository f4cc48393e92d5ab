import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer } from 'node:tls'

/**
 * Runs in a cluster's own namespace: `https://kubernetes.default.svc` ends here and goes on, as plain HTTP, through the
 * control plane's socket. Bytes only, so that watches and exec pass.
 */
const [address, port, socket, certificate, key] = process.argv.slice(2) as [string, string, string, string, string]

createServer({ cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['http/1.1'] }, client => {
  const upstream = connect(socket)
  const end = () => {
    client.destroy()
    upstream.destroy()
  }
  for (const it of [client, upstream]) it.on('error', end).on('close', end)
  client.pipe(upstream).pipe(client)
})
  .on('tlsClientError', () => {})
  .listen(Number(port), address)
