import { visible } from './visible.ts'

/** HTML that was written here; everything else is text of others. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = Markup | string | number | readonly Markup[]

/** HTML by construction: whatever is put in is escaped, for text and for quoted attributes, unless it is Markup. */
export const html = (parts: TemplateStringsArray, ...values: Value[]): Markup =>
  new Markup(parts.reduce((text, part, at) => text + put(values[at - 1]!) + part))

const put = (value: Value): string => {
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(put).join('')
  return visible(String(value), 500).replace(/[&<>"'`]/g, it => `&#${it.charCodeAt(0)};`)
}
