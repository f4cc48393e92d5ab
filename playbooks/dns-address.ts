import { Address4 } from 'ip-address'

/** Kapsule's cluster DNS is the tenth address of the service range. */
export const dnsAddress = (serviceCidr: string): string =>
  Address4.fromBigInt(new Address4(serviceCidr).startAddress().bigInt() + 10n).correctForm()
