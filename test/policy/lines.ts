/** A line of the audit log as the proxy writes it, some fields others. */
export const auditLine = (changes: Record<string, string> = {}): string =>
  JSON.stringify({
    ...{ time: '2026-11-21T10:00:00.123Z', tenant: 'client-a', client: '172.16.28.20', listener: '3128' },
    ...{ method: 'CONNECT', host: 'api.partner.example', port: '443', path: '-', resolved: '203.0.113.7' },
    ...{ egress: '198.51.100.40', status: '200', squid: 'TCP_TUNNEL', verdict: 'allowed' },
    ...{ rule: 'allow:api.partner.example', revision: '7-0a1b2c3d', bytesIn: '517', bytesOut: '4096', ms: '82' },
    ...{ agent: 'curl/8.14.1' },
    ...changes,
  })
