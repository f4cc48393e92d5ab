/** Hides known secret values in text, in every form they may take on their way to a terminal or a log. */
export const createMask = () => {
  const known = new Set<string>()
  return {
    /** Values shorter than eight characters are left alone: hiding them would hide half of every line. */
    hide(...secrets: (string | undefined)[]) {
      for (const secret of secrets) if (secret && secret.length >= 8) for (const it of formsOf(secret)) known.add(it)
    },
    mask(text: string): string {
      let masked = text
      for (const it of [...known].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(it, '(secret)')
      return masked
    },
  }
}

const formsOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64'),
]

/** What the environment says and nobody should read in a log. */
export const secretsOf = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value]) =>
    /SECRET|TOKEN|PASSWORD|PRIVATE_KEY/i.test(name) && value ? [value] : [],
  )
