/**
 * The addresses that a squid.conf of ours takes for a tenant's nodes; null: it does not tell this tenant by its nodes.
 * The first word of the list is nobody's address, as in the template.
 */
export const nodesIn = (conf: string, tenant: string): string[] | null => {
  const start = `acl from_${tenant} src 255.255.255.255`
  const line = conf.split('\n').find(it => it === start || it.startsWith(`${start} `))
  return line === undefined ? null : line.slice(start.length).split(/\s+/).filter(Boolean)
}
