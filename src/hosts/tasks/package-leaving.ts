type Task = { name: string; names?: Record<string, string>; present?: boolean; insteadOf?: string }

/** What a package task takes away. */
export const leavingBy = ({ name, names = {}, present, insteadOf }: Task): string[] => [
  ...(present === false ? [name, ...Object.values(names)] : []),
  ...(insteadOf === undefined ? [] : [insteadOf]),
]
