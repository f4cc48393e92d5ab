/** Takes secrets out of texts. What it was told stays known; private keys it knows by their looks. */
export type Redaction = { hide(...secrets: (string | undefined)[]): void; clean(text: string): string }

/** Values shorter than eight characters are left alone: hiding them would hide half of every text. */
export const createRedaction = (): Redaction => {
  const known = new Set<string>()
  return {
    hide(...secrets) {
      for (const it of secrets) if (it && it.length >= 8) known.add(it)
    },
    clean(text) {
      let clean = text.replace(privateKey, '(private key)')
      for (const it of [...known].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(it, '***')
      return clean
    },
  }
}

/** Also one that is cut off, or quoted with its line ends escaped. */
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g
