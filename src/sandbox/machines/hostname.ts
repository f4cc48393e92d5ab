/** A resource may be called anything; what a machine can be called is less. @see hostname(7) */
export const hostnameOf = (name: string): string =>
  name
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 63)
    .replaceAll(/^[.-]+|[.-]+$/g, '') || 'host'
