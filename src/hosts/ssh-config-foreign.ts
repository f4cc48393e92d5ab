import { Problem } from '../engine/problem.ts'

/** `key` in small letters; `place`: file and line. */
export type Line = { key: string; value: string; place: string }

/** By which way and as whom we come: what is not done here, as it would be another login. By the word in small letters. */
const foreign: Record<string, { word: string; why: (value: string) => string; next: string; unless?: RegExp }> = {
  proxycommand: {
    word: 'ProxyCommand',
    why: value => `is reached through \`${value}\`, and commands of a config file are not run`,
    next: 'name the bastion as ProxyJump instead',
  },
  certificatefile: {
    word: 'CertificateFile',
    why: value => `is to be shown the certificate ${value}, and certificates are not used here`,
    next: 'give it a plain key that it lets in, as IdentityFile, and keep this line from it',
  },
  pkcs11provider: {
    word: 'PKCS11Provider',
    why: value => `is logged in to with keys of ${value}, and libraries are not loaded here`,
    next: 'add these keys to an agent (ssh-add -s), which IdentityAgent or SSH_AUTH_SOCK names, and keep this line from it',
  },
  knownhostscommand: {
    word: 'KnownHostsCommand',
    why: value => `has a host key that \`${value}\` tells, and commands of a config file are not run`,
    next: 'write the key to a file that UserKnownHostsFile names, and keep this line from it',
  },
  bindaddress: {
    word: 'BindAddress',
    why: value => `is to be reached from ${value}, and where we come from is not chosen here`,
    next: 'set a route to it on this machine, and keep this line from it',
  },
  bindinterface: {
    word: 'BindInterface',
    why: value => `is to be reached by ${value}, and where we come from is not chosen here`,
    next: 'set a route to it on this machine, and keep this line from it',
  },
  canonicalizehostname: {
    word: 'CanonicalizeHostname',
    why: () => 'would get another name, by which the file is read once more',
    next: 'write its whole name as HostName, and keep this line from it',
    unless: /^(no|none)$/i,
  },
}

/** Throws, with its place, at the first line for a host that asks for what is not done. Of each word the first counts. */
export const refuseForeign = (lines: Line[], alias: string): void => {
  const seen = new Set<string>()
  for (const { key, value, place } of lines) {
    // Of the two ways through something else, the first counts.
    const about = key === 'proxyjump' ? 'proxycommand' : key
    const { word, why, next, unless = /^none$/i } = foreign[key] ?? {}
    if (word && why && !seen.has(about) && !unless.test(value))
      throw new Problem(`${place}: ${word} is not followed`, { why: `${alias} ${why(value)}`, next: next!, exit: 2 })
    seen.add(about)
  }
}
