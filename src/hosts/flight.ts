import type { Client, ClientChannel, ParsedKey } from 'ssh2'
import type { SshKey } from './keyring.ts'

type Sign = (data: Buffer, signed: (signature: Buffer) => void) => void

/** ssh2's inside, as far as it is used here. The version is pinned; what is missing in another sends all the plain way. */
type Protocol = {
  authPK(user: string, key: ParsedKey, algorithm: string | undefined, sign?: Sign): void
  session(id: number, window: number, packet: number): void
  exec(channel: number, command: string, wantReply: boolean): void
  channelData(channel: number, data: Buffer): void
  channelEOF(channel: number): void
  _onHandshakeComplete(...negotiated: unknown[]): void
}
type Opened = ((error: Error | undefined, channel?: Channel) => void) & { type?: string }
type Inside = {
  _protocol: Protocol
  _chanMgr: { add(opened: Opened): number }
  _sock: { cork?(): void; uncork?(): void }
  _remoteVer?: string
}
type Channel = ClientChannel & {
  outgoing: { id: number; state: string; packetSize: number }
  _callbacks: ((refused: boolean) => void)[]
}

/** What goes ahead of a command. */
type Ahead = { command: string; stdin?: string | Buffer }

/** Told once: an error, or the channel of a command that runs, and whether all of its stdin is on its way. */
export type Started = (error: Error | undefined, channel?: ClientChannel, stdinSent?: boolean) => void

/** Commands that do not wait for answers which are known beforehand. */
export type Flight = {
  /** After the handshake: login, session and command in one flight. To be called before the handshake. */
  withLogin(user: string, key: SshKey, exec: Ahead | undefined, started: Started): void
  /** On a session that was opened before it was needed; false when there is none. */
  onSpare(exec: Ahead, started: Started): boolean
  /** Opens a session for the next command. */
  openSpare(): void
}

// ssh2's own numbers: its channels count on this window.
const window = 2 * 1024 * 1024
const packet = 32 * 1024

/** OpenSSH opens 2 MB of window with the command; what is longer than this waits for it. */
const stdinAhead = 1024 * 1024

/** null: not the ssh2 this was written for. */
export const flightOf = (client: Client): Flight | null => {
  const inside = client as unknown as Inside
  const { _protocol: protocol, _chanMgr: channels, _sock: socket } = inside
  const hooks = [channels?.add, ...methods.map(it => protocol?.[it])]
  if (hooks.some(it => typeof it !== 'function')) return null
  let spare: Channel | undefined

  const openSession = (opened: Opened) => {
    opened.type = 'session'
    const id = channels.add(opened)
    if (id >= 0) protocol.session(id, window, packet)
  }
  /** Returns whether stdin went along. */
  const send = (id: number, { command, stdin = '' }: Ahead): boolean => {
    protocol.exec(id, command, true)
    const data = Buffer.from(stdin)
    if (data.length > stdinAhead) return false
    for (let at = 0; at < data.length; at += packet) protocol.channelData(id, data.subarray(at, at + packet))
    protocol.channelEOF(id)
    return true
  }
  const expect = (channel: Channel, stdinSent: boolean, started: Started) => {
    if (stdinSent) channel.outgoing.state = 'eof'
    channel._callbacks.push(refused => {
      if (!refused) return started(undefined, channel, stdinSent)
      channel.close()
      started(new Error('the server refused the command'))
    })
  }
  const together = (write: () => void) => {
    socket.cork?.()
    write()
    socket.uncork?.()
  }

  return {
    withLogin(user, { key, sign }, exec, started) {
      const finishHandshake = protocol._onHandshakeComplete
      const authPK = protocol.authPK
      let asked = 0
      protocol._onHandshakeComplete = (...negotiated) => {
        // Only the first: a new key exchange comes by here too.
        protocol._onHandshakeComplete = finishHandshake
        if (!inside._remoteVer?.startsWith('OpenSSH_')) {
          finishHandshake(...negotiated)
          return started(new NotAhead())
        }
        // ssh2 asks for this login when the server has agreed to talk about it: it is under way then.
        protocol.authPK = (...login) => {
          if (asked++ === 0) return
          // The key was refused, and with it all that came after.
          protocol.authPK = authPK
          started(new NotAhead())
          authPK.apply(protocol, login)
        }
        together(() => {
          finishHandshake(...negotiated)
          const [algorithm, hash] = key.type === 'ssh-rsa' ? ['rsa-sha2-256', 'sha256'] : []
          authPK.call(protocol, user, key, algorithm, (data, signed) =>
            sign(data, hash, (error, signature) => {
              if (!signature) return void client.emit('error', Object.assign(error as Error, { level: 'agent' }))
              signed(signature)
              if (!exec) return
              // An OpenSSH server calls its first session 0.
              let stdinSent = false
              openSession((error, channel) => {
                if (error || !channel) return started(error)
                if (channel.outgoing.id !== 0) return client.destroy()
                expect(channel, stdinSent, started)
              })
              stdinSent = send(0, exec)
              this.openSpare()
            }),
          )
        })
      }
    },
    onSpare(exec, started) {
      const channel = spare
      spare = undefined
      if (channel?.outgoing.state !== 'open') return false
      together(() => {
        expect(channel, send(channel.outgoing.id, exec), started)
        this.openSpare()
      })
      return true
    },
    openSpare() {
      openSession((_refused, channel) => {
        spare = channel
      })
    },
  }
}

/** Nothing was sent ahead: the plain way is still open. */
export class NotAhead extends Error {}

const methods = ['authPK', 'session', 'exec', 'channelData', 'channelEOF', '_onHandshakeComplete'] as const
