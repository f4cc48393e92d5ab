import { createRequire } from 'node:module'
import { lazily } from '../../engine/lazily.ts'

const ip = lazily(() => createRequire(import.meta.url)('ip-address') as typeof import('ip-address'))

/** One spelling of an address or a range: with its mask, without host bits. Throws where it is neither. */
export const rangeOf = (text: string): string => {
  const { Address4, Address6 } = ip()
  const range = text.includes(':') ? new Address6(text) : new Address4(text)
  return `${range.startAddress().correctForm()}/${range.subnetMask}`
}
