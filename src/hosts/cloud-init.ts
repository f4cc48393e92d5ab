import ssh2 from 'ssh2'
import { parse } from 'yaml'
import { render } from './template.ts'

export type HostKey = { private: string; public: string }

export type CloudInit = {
  hostname: string
  users: { name: string; authorizedKeys: string[]; sudo: boolean }[]
  /** For root, or the image's own user. */
  authorizedKeys: string[]
  /** Handed over at birth, so that the first connection knows it. */
  hostKey: HostKey
  packages: string[]
  writeFiles: { path: string; content: string; permissions: string }[]
  /** Each a list of words, which no shell reads. */
  runcmd: string[][]
}

/** User data for a server's first boot. It holds the host's private key: give it to the server and to nobody else. */
export const cloudInit = (want: CloudInit): string => render('cloud-init.yaml', want)

/**
 * A new ed25519 host key in OpenSSH's format. ssh2 drops the leading zero byte of one key in 256, and nobody can read
 * what is left: such a key is thrown away.
 */
export const newHostKey = (comment = 'kapsule-egress'): HostKey => {
  for (;;) {
    const { private: secret, public: open } = ssh2.utils.generateKeyPairSync('ed25519', { comment })
    if (ssh2.utils.parseKey(open) instanceof Error || ssh2.utils.parseKey(secret) instanceof Error) continue
    return { private: secret.endsWith('\n') ? secret : `${secret}\n`, public: open.trim() }
  }
}

/** The public host key that user data hands to a server, or null where it hands none. */
export const hostKeyOf = (userData: string): string | null => {
  const data = parse(userData) as { ssh_keys?: { ed25519_public?: unknown } } | null
  const key = data?.ssh_keys?.ed25519_public
  return typeof key === 'string' ? key.trim() : null
}
