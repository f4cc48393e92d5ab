/** The partner's packet filter, before its database's port: who is not let in hears nothing. */
export const partnerRules = (partner: string, ranges: readonly string[]): string => {
  const port = `ip daddr ${partner} tcp dport ${databasePort}`
  // There is no IPv6 in this internet.
  const admitted = ranges.filter(it => !it.includes(':')).map(it => `    ${port} ip saddr ${it} accept`)
  return `  chain input { type filter hook input priority 1; policy accept;
    ct state established,related accept
${[...admitted, `    ${port} drop`].join('\n')}
  }`
}

export const databasePort = 5432
