/** `result < 0.05`: a comparison with a number. */
export type Condition = (value: number) => boolean

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
}

/** null: that is no condition. */
export const conditionOf = (text: string): Condition | null => {
  const [, sign = '', number = ''] =
    /^\s*result\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*$/i.exec(text) ?? []
  const compare = COMPARE[sign]
  return compare ? value => compare(value, Number(number)) : null
}
