import type { z } from 'zod'
import type { Problem } from '../engine/problem.ts'
import type { Document } from './document.ts'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodIssue

/** A document against its schema: the value with its defaults, or every mistake with its place. */
export const validate = <T>(document: Document, schema: z.ZodType<T>): { value?: T; problems: Problem[] } => {
  if (document.problems.length > 0) return { problems: document.problems }
  const { success, data, error } = schema.safeParse(document.value ?? {}, { reportInput: true })
  if (success) return { value: data, problems: [] }
  return { problems: error.issues.flatMap(issue => problemsOf(document, issue, schema)) }
}

const problemsOf = (document: Document, issue: Issue, schema: z.ZodType): Problem[] => {
  const at = issue.path.join('.') || 'this file'
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map(key => {
      const near = nearest(key, known)
      const next = near ? `did you mean ${near}?` : `known here: ${known.join(', ')}`
      return document.problem([...issue.path, key], `unknown key ${key}`, `${at} has no such key`, next)
    })
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const near = nearest(String(issue.input ?? ''), values)
    const next = near ? `did you mean ${near}?` : `one of ${values.join(', ')}`
    return [
      document.problem(
        issue.path,
        `${at}: ${shown(issue.input)} is not known here`,
        `it can be ${values.join(', ')}`,
        next,
      ),
    ]
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [document.problem(issue.path, `${at} is missing`, `it is needed (${issue.expected})`, 'add it')]
  }
  return [document.problem(issue.path, `${at}: ${shown(issue.input)} is not right`, issue.message, 'correct it')]
}

const shown = (input: unknown): string => {
  const text = typeof input === 'bigint' ? String(input) : (JSON.stringify(input) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The keys that the schema knows at a path. */
const keysAt = (schema: z.ZodType, path: readonly PropertyKey[]): string[] => {
  let here = unwrapped(schema)
  for (const step of path) {
    here = unwrapped(typeof step === 'number' ? here?.element : here?.shape?.[String(step)])
  }
  return Object.keys(here?.shape ?? {})
}

type Inside = { shape?: Record<string, unknown>; element?: unknown; unwrap?: () => unknown }

const unwrapped = (schema: unknown): Inside | undefined => {
  let here = schema as Inside | undefined
  while (here && !here.shape && !here.element && typeof here.unwrap === 'function') here = here.unwrap() as Inside
  return here
}
