import { isIP } from 'node:net'
import { innerOf } from '../../../playbooks/configure.ts'
import { nearest } from '../../engine/nearest.ts'
import type { ExitCode } from '../../engine/problem.ts'
import { Problem } from '../../engine/problem.ts'
import { editText } from '../../policy/edit.ts'
import type { Place } from '../../policy/entry.ts'
import { explain as explained } from '../../policy/explain.ts'
import type { Request } from '../../policy/policy.ts'
import { askedOf } from '../asked.ts'
import type { Session } from '../session.ts'
import { finish, noChanges } from '../summary.ts'

/** Allow or deny, by which entry, and the smallest change that would turn it: from the inventory alone. */
export const explain = (session: Session): ExitCode => {
  const { flags, context, output, problemAt } = session
  const { operands = [], method, resolve } = flags
  const { tenant, egress } = tenantOf(session)
  for (const it of resolve ?? []) if (it !== 'none' && !isIP(it)) throw noAddress(it)
  const request: Request = {
    ...askedOf(operands, method),
    ...(resolve && { resolved: resolve.filter(it => it !== 'none') }),
  }
  const lists = { context: context.policy ?? {}, tenant: { allow: egress.allow, deny: egress.deny } }
  const answer = explained({ lists, tenant, mode: egress.mode, inner: innerOf(context) }, request)
  const where = ({ of, list, at }: Place): string => {
    const own = of === 'tenant'
    const found = problemAt({ tenant: own ? tenant : null, path: [own ? 'egress' : 'policy', list, at] }, '', '', '').at
    return found ? `${found.file}:${found.line}` : list
  }
  const { verdict, rule, why, place, flip, instead } = answer
  const changes = flip?.map(it => editText(it, where)) ?? []
  output.data(
    [
      `${verdict}  ${textOf(request)}  (tenant ${tenant}, mode ${egress.mode})`,
      `  rule  ${rule}${place ? `  ${where(place)}` : ''}`,
      `  why   ${why}`,
      ...changes.map((it, at) => `  ${at === 0 ? 'flip' : 'and '}  ${it}`),
      ...(instead ? [`  ${changes.length > 0 ? 'or  ' : 'next'}  ${instead}`] : []),
    ].join('\n'),
  )
  const { host, port, protocol } = request
  output.event('explain', {
    ...{ tenant, mode: egress.mode, method: request.method, protocol, host, port, verdict, rule, why },
    ...{ at: place ? where(place) : null, flip: changes, instead },
  })
  return finish(session, { status: 'ok', changes: noChanges })
}

const textOf = ({ method, protocol, scheme, host, port }: Request): string => {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return protocol === 'connect' ? `CONNECT ${authority}` : `${method} ${scheme}://${authority}`
}

const tenantOf = ({ flags, context }: Session) => {
  const names = context.tenants.map(it => it.tenant)
  const found = context.tenants.find(it => it.tenant === flags.tenant)
  if (found) return found
  const near = flags.tenant === undefined ? undefined : nearest(flags.tenant, names)
  throw new Problem(flags.tenant === undefined ? '--tenant is missing' : `there is no tenant ${flags.tenant}`, {
    why: `the tenants are ${names.join(', ')}`,
    next: near ? `did you mean --tenant ${near}?` : 'name one of them',
    exit: 2,
  })
}

const noAddress = (text: string) =>
  new Problem(`--resolve ${text} is not an address`, {
    why: 'it stands for what the name resolves to',
    next: 'write an IPv4 or IPv6 address, or none for a name without one',
    exit: 2,
  })
