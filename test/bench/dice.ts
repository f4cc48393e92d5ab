/** Chance that can be met again: the same seed rolls the same. */
export type Dice = {
  /** 0 to 1. */ roll(): number /** Both ends included. */
  between(from: number, to: number): number
}

/** mulberry32. */
export const dice = (seed: number): Dice => {
  let state = seed >>> 0
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { roll, between: (from, to) => from + Math.floor(roll() * (to - from + 1)) }
}
