import type { Answer } from './answer.ts'
import type { Body } from './fields.ts'

/** One request, taken apart. `place` is the region or zone in its path. */
export type Ask = {
  params: Record<string, string>
  place: string
  path: string
  query: URLSearchParams
  body: Body
  raw: string
}

export type Route = { method: string; template: string; run(ask: Ask): Answer | Promise<Answer> }

export const route = (method: string, template: string, run: Route['run']): Route => ({ method, template, run })

export type Match = { route: Route; params: Record<string, string> }

const places = /^(fr-par|nl-ams|pl-waw|it-mil)(-[123])?$/

/** The route for a path; 'method' when the path is known but not for this method, null when it is not. */
export const createRouter = (routes: Route[]) => {
  const compiled = routes.map(it => ({ route: it, parts: it.template.split('/') }))
  return (method: string, path: string): Match | 'method' | null => {
    const parts = path.split('/')
    let known = false
    for (const { route, parts: wanted } of compiled) {
      const params = match(wanted, parts)
      if (!params) continue
      known = true
      if (route.method === method) return { route, params }
    }
    return known ? 'method' : null
  }
}

const match = (wanted: string[], parts: string[]): Record<string, string> | null => {
  if (wanted.length !== parts.length) return null
  const params: Record<string, string> = {}
  for (const [index, want] of wanted.entries()) {
    const part = decode(parts[index]!)
    if (!want.startsWith(':')) {
      if (want !== part) return null
    } else if (!part || ((want === ':zone' || want === ':region') && !places.test(part))) return null
    else params[want.slice(1)] = part
  }
  return params
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
