/** `holds`: as expected; `unclear`: nobody can say, and why. */
export type Finding = { verdict: 'holds' | 'fails' | 'unclear'; why: string }

export type EvidenceProxy = {
  name: string
  fixedAddress: string
  /** null: it could not be asked, and why. */
  facts: {
    time: string
    system: string
    kernel: string
    squid: string
    ufw: string
    firewall: string
    squidConf: string
    ufwRules: string
    helper: string
    revision: string
    inForce: string
    policy: string
  } | null
  problem: string | null
} & Finding

export type EvidenceAddress = { service: string; by: string; expected: string[]; seen: string | null } & Finding

export type EvidenceSample = {
  kind: string
  method: string
  url: string
  by: string
  expected: string
  because: string
  seen: string
  logged: { verdict: string; rule: string; revision: string } | null
} & Finding

/** Whether anything that must never be is in a namespace: what could make the rest of the evidence worthless. */
export type EvidenceNamespace = { namespace: string; found: { object: string; what: string; why: string }[] } & Finding

/** What was asked of one tenant's way out, expected, seen: for somebody who was not there. Holds no secret. */
export type Evidence = {
  format: 'kapsule-egress-evidence/1'
  tenant: string
  context: string
  verdict: Finding['verdict']
  counts: { asked: number; hold: number; fail: number; unclear: number }
  began: string
  ended: string
  madeBy: { user: string; host: string; software: string; node: string; command: string }
  inventory: { sha256: string; files: { file: string; sha256: string }[] }
  policy: { mode: string; rules: number; sha256: string }
  asked: { namespace: string; workload: string; pod: string; node: string }
  proxies: EvidenceProxy[]
  addresses: EvidenceAddress[]
  samples: EvidenceSample[]
  namespaces: EvidenceNamespace[]
}

/** Of the whole: one failure is a failure, and what nobody could say is no proof. */
export const verdictOf = (all: readonly Finding[]): Pick<Evidence, 'verdict' | 'counts'> => {
  const count = (verdict: Finding['verdict']) => all.filter(it => it.verdict === verdict).length
  const counts = { asked: all.length, hold: count('holds'), fail: count('fails'), unclear: count('unclear') }
  const verdict = counts.fail > 0 ? 'fails' : counts.unclear > 0 || counts.asked === 0 ? 'unclear' : 'holds'
  return { verdict, counts }
}
