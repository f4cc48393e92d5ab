import type { Note } from './http.ts'
import { consoleUrls, permissionSetOf, type Route } from './route.ts'

/** The words of a Problem; `what` goes on after the name of the call. */
export type Parts = { what: string; why: string; next: string }

export const tries = (note?: Note): string => (note && note.tries > 1 ? `, after ${note.tries} tries` : '')

type Body = Record<string, unknown>

/** What an error answer means to an operator. */
export const refusal = (status: number, body: Body, route: Route, note?: Note): Parts => {
  const said = `${status} ${[body.type, body.message].filter(it => typeof it === 'string').join(': ')}`.trim()
  const help = typeof body.help_message === 'string' ? ` (${body.help_message})` : ''
  const thing = [body.resource, body.resource_id].filter(it => typeof it === 'string' && it !== '').join(' ')
  const place = route.place ? ` in ${route.place}` : ''
  const again = 'then run the same command again'
  if (status === 401)
    return {
      what: 'was refused: the API key is not accepted',
      why: `${said}${body.reason ? ` (${body.reason})` : ''}`,
      next: `check SCW_ACCESS_KEY and SCW_SECRET_KEY, or the profile, and whether the key has expired: ${consoleUrls.apiKeys}`,
    }
  const quotas = quotasIn(body)
  if (quotas)
    return {
      what: `was refused: a quota is used up${quotas.names}`,
      why: quotas.lines || `${said}${thing && `, ${thing}`}`,
      next: `delete what is no longer needed, or ask for a higher quota at ${consoleUrls.quotas}, ${again}`,
    }
  if (body.type === 'out_of_stock')
    return {
      what: `was refused: ${thing || 'this type'} is out of stock${place}`,
      why: `${said}; the stock is Scaleway's and changes by the hour`,
      next: 'choose another type or zone in the inventory, or try again later',
    }
  if (status === 403) {
    const set = permissionSetOf(route)
    const asked = detailsOf(body).map(it => `${it.action} ${it.resource}`)
    return {
      what: 'was refused: the API key may not do this',
      why: [said, asked.join(', ')].filter(Boolean).join('; '),
      next: `give the key's owner ${set ?? 'the permission'} for this project at ${consoleUrls.policies}; a new policy takes up to two minutes`,
    }
  }
  if (status === 412 || body.precondition)
    return {
      what: `was refused: ${body.precondition ?? 'a precondition'} stands in the way`,
      why: `${said}${help}`,
      next: `take away what stands in the way, ${again}`,
    }
  if (status === 400)
    return {
      what: 'was refused: an argument is not accepted',
      why: argumentsIn(body) || said,
      next: `correct the value in the inventory, ${again}`,
    }
  if (status === 404)
    return {
      what: `was refused: ${thing || 'it'} is not there${place}`,
      why: said,
      next: `${again.slice(5)}: it looks at what is there; if it is not, check the project, region and zone of the context`,
    }
  if (body.type === 'transient_state')
    return {
      what: `was refused: ${thing} is ${body.current_state}`,
      why: `${said}${help}`,
      next: `wait until it has settled, ${again}`,
    }
  if (body.type === 'already_exists')
    return {
      what: `was refused: ${thing || 'it'} exists already`,
      why: `${said}${help}`,
      next: `name ours differently in the inventory, or delete that one, ${again}`,
    }
  if (status === 429)
    return {
      what: 'was refused: too many requests',
      why: `the rate limit stayed shut${tries(note)}`,
      next: note?.retryAt
        ? `run the same command again after ${clockOf(note.retryAt)}: Scaleway asks to wait that long`
        : 'wait a minute, then run the same command again',
    }
  return {
    what: `answered ${status}`,
    why: `${said}${help}${tries(note)}`,
    next: note?.retryAt
      ? `run the same command again after ${clockOf(note.retryAt)}: Scaleway asks to wait that long`
      : 'run the same command again; if it stays, look at the resource in the Scaleway console',
  }
}

/** To the second, and with the day where it is not today. */
const clockOf = (at: Date): string => {
  const [day, time] = at.toISOString().slice(0, 19).split('T')
  const today = new Date().toISOString().startsWith(String(day))
  return `${today ? '' : `${day} `}${time} UTC`
}

const detailsOf = ({ details }: Body): Body[] => (Array.isArray(details) ? (details as Body[]) : [])

/** The instance API has an older way to say it, without numbers. */
const quotasIn = (body: Body): { names: string; lines: string } | null => {
  const old = body.type === 'invalid_request_error' && /quota exceeded/i.test(String(body.message))
  if (body.type !== 'quotas_exceeded' && !old) return null
  const all = detailsOf(body)
  const names =
    all.map(it => String(it.resource)).join(', ') || (typeof body.resource === 'string' ? body.resource : '')
  const lines = all.map(it => `${it.resource}: ${it.current} of ${it.quota} are in use, and one more is needed`)
  return { names: names && `: ${names}`, lines: lines.join('; ') }
}

const argumentsIn = (body: Body): string => {
  const fields = typeof body.fields === 'object' && body.fields !== null ? (body.fields as Record<string, unknown>) : {}
  return [
    ...detailsOf(body).map(it => `${it.argument_name}: ${it.reason} ${it.help_message ?? ''}`.trim()),
    ...Object.entries(fields).map(([name, said]) => `${name}: ${[said].flat().join(', ')}`),
  ].join('; ')
}
