import { gzipSync } from 'node:zlib'

/** One shell word, whatever is in it. Throws on NUL, which no shell can carry. */
export const quote = (text: string): string => {
  if (text.includes('\0')) throw new Error('a NUL byte cannot be passed to a shell')
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * A command that writes exactly these bytes to a target. They travel in a here-document, so their size has no limit;
 * packed when they are many, for a shell reads such a document slowly.
 */
export const writing = (content: Buffer | string, target: string): string => {
  const bytes = Buffer.from(content)
  const packs = bytes.length > 65_536
  const sent = packs ? gzipSync(bytes, { level: 1 }) : bytes
  const lines = sent.toString('base64').replace(/.{76}/g, '$&\n')
  // Of a pipe the last one's status counts: gzip's, which fails too when what it gets was cut.
  return `base64 -d ${packs ? "<<'B64' | gzip -dc >" : '>'}${target}${packs ? '' : " <<'B64'"}\n${lines}\nB64`
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const unbase64 = (text: string): Buffer => Buffer.from(text, 'base64')
