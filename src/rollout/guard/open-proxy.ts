import { isObject } from '../kube/object.ts'
import type { Rule } from './rule.ts'

/** Squid's own words for a proxy that serves everybody, in a line of its own. */
export const OPEN = /(^|\n)[ \t]*http_access[ \t]+allow[ \t]+all[ \t]*(#[^\n]*)?(\r?\n|$)/

export const openProxy: Rule = {
  what: 'an open proxy',
  next: 'name who may and what: http_access allow with an acl, and deny all after it',
  look: ({ object }) =>
    object.kind === 'ConfigMap' && isObject(object.data)
      ? Object.entries(object.data)
          .filter(([, text]) => typeof text === 'string' && OPEN.test(text))
          .map(([key]) => `${key} says http_access allow all: whoever reaches it leaves by it`)
      : [],
}
