/** Made when it is first asked for: what few runs need is not loaded at the start of all. */
export const lazily = <T>(make: () => T): (() => T) => {
  let made: { it: T } | undefined
  return () => {
    made ??= { it: make() }
    return made.it
  }
}
