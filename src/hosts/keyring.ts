import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2'
import { lazily } from '../engine/lazily.ts'
import { agents } from './ssh2.ts'

/** A key to log in with, and who can sign with it: this process, or an agent. */
export type SshKey = {
  key: ParsedKey
  /** Where it comes from, for people. */
  from: string
  sign(data: Buffer, hash: string | undefined, signed: (error: Error | null, signature?: Buffer) => void): void
}

export const ownKey = (key: ParsedKey, path: string): SshKey => ({
  key,
  from: path,
  sign(data, hash, signed) {
    const signature = key.sign(data, hash) as Buffer | Error
    if (signature instanceof Error) signed(signature)
    else signed(null, signature)
  },
})

/** Our keys in the order they are tried, as ssh2 wants them: wherever they come from, it takes them for an agent's. */
export const keyring = (keys: SshKey[]): BaseAgent => new (kind())(keys) as BaseAgent

const kind = lazily(
  () =>
    class extends agents().BaseAgent<ParsedKey> {
      readonly keys: SshKey[]

      constructor(keys: SshKey[]) {
        super()
        this.keys = keys
      }

      getIdentities(tell: IdentityCallback<ParsedKey>) {
        tell(
          undefined,
          this.keys.map(it => it.key),
        )
      }

      sign(
        wanted: ParsedKey,
        data: Buffer,
        options: SigningRequestOptions | SignCallback,
        tell = options as SignCallback,
      ): void {
        const found = this.keys.find(it => it.key.getPublicSSH().equals(wanted.getPublicSSH()))
        const { hash } = options as SigningRequestOptions
        if (found) found.sign(data, hash, (error, signature) => tell(error, signature))
        else tell(new Error('the key is not in this keyring'))
      }
    },
)
