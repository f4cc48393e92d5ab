/** One shell word, whatever is in it. Throws on NUL, which no shell can carry. */
export const quote = (text: string): string => {
  if (text.includes('\0')) throw new Error('a NUL byte cannot be passed to a shell')
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** A command that writes exactly these bytes to a target. They travel in a here-document, so their size has no limit. */
export const writing = (content: Buffer | string, target: string): string => {
  const lines = Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\n')
  return `base64 -d >${target} <<'B64'\n${lines}\nB64`
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const unbase64 = (text: string): Buffer => Buffer.from(text, 'base64')
