import type { z } from 'zod'
import { nearest } from '../engine/nearest.ts'
import type { Problem } from '../engine/problem.ts'
import type { Document } from './document.ts'

type Issue = z.core.$ZodIssue

/** Every part may be missing: what is there is right. */
export type Parts<T> = T extends (infer E)[]
  ? (Parts<E> | undefined)[]
  : T extends object
    ? { [K in keyof T]?: Parts<T[K]> | undefined }
    : T

/**
 * A document against its schema: the value with its defaults, or every mistake with its place. `parts` is what is
 * right even then, so that what stands between fields can be checked as well, and told at once.
 */
export const validate = <T>(
  document: Document,
  schema: z.ZodType<T>,
): { value?: T; parts: Parts<T>; problems: Problem[] } => {
  if (document.problems.length > 0) return { parts: {} as Parts<T>, problems: document.problems }
  const { success, data, error } = schema.safeParse(document.value ?? {}, { reportInput: true })
  if (success) return { value: data, parts: data as Parts<T>, problems: [] }
  const parts = structuredClone(document.value ?? {})
  for (const issue of error.issues) {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map(key => [...issue.path, key]) : [issue.path]
    for (const path of paths) drop(parts, path)
  }
  return { parts: parts as Parts<T>, problems: error.issues.flatMap(issue => problemsOf(document, issue, schema)) }
}

/** Takes one value out; the elements after it keep their places. */
const drop = (value: unknown, path: readonly PropertyKey[]) => {
  let here = value as Record<PropertyKey, unknown> | undefined
  for (const step of path.slice(0, -1)) here = here?.[step] as Record<PropertyKey, unknown> | undefined
  const last = path.at(-1)
  if (last !== undefined && typeof here === 'object' && here !== null) here[last] = undefined
}

const problemsOf = (document: Document, issue: Issue, schema: z.ZodType): Problem[] => {
  const at = issue.path.join('.') || 'this file'
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map(key => {
      const near = nearest(key, known)
      const next = near ? `did you mean ${near}?` : `known here: ${known.join(', ')}`
      return document.keyProblem([...issue.path, key], `unknown key ${key}`, `${at} has no such key`, next)
    })
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const near = nearest(String(issue.input ?? ''), values)
    const next = near ? `did you mean ${near}?` : `one of ${values.join(', ')}`
    return [
      document.problem(issue.path, `${at}: ${told(issue)} is not known here`, `it can be ${values.join(', ')}`, next),
    ]
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [document.problem(issue.path, `${at} is missing`, `it is needed (${issue.expected})`, 'add it')]
  }
  if (issue.code === 'invalid_key') {
    const [why] = issue.issues.map(it => it.message)
    return [document.keyProblem(issue.path, `${at} is no name here`, why ?? issue.message, 'choose another name')]
  }
  return [document.problem(issue.path, `${at}: ${told(issue)} is not right`, issue.message, nextFor(issue))]
}

const nextFor = (issue: Issue): string => {
  const { code, input } = issue
  if (code === 'too_small') return `write at least ${issue.minimum}${issue.origin === 'array' ? ' of them' : ''}`
  if (code === 'too_big') return `write at most ${issue.maximum}`
  if (code !== 'invalid_type') return 'correct it'
  if (input === null) return 'give it a value, or leave the key out'
  if (/ with its unit/.test(issue.message)) return 'write it with its unit, as it is there'
  if (issue.expected === 'string' && typeof input === 'number') return `put it in quotes: "${input}"`
  if (issue.expected === 'number' && typeof input === 'string' && input !== '' && Number.isFinite(Number(input)))
    return `leave out the quotes: ${input}`
  return `write ${words[issue.expected] ?? issue.expected}`
}

const words: Record<string, string> = {
  array: 'a list: [a, b]',
  object: 'keys with values: { key: value }',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

/** What was written, unless it was written where a secret may be meant. */
const told = ({ path, input }: Issue): string =>
  /pass|secret|token|webhook|(^|\.)key$/i.test(path.join('.')) ? 'this' : shown(input)

const shown = (input: unknown): string => {
  const text = typeof input === 'bigint' ? String(input) : (JSON.stringify(input) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The keys that the schema knows at a path. */
const keysAt = (schema: z.ZodType, path: readonly PropertyKey[]): string[] => {
  let here = unwrapped(schema)
  for (const step of path) {
    here = unwrapped(typeof step === 'number' ? here?.element : (here?.shape?.[String(step)] ?? here?.valueType))
  }
  return here?.keyType?.options ?? Object.keys(here?.shape ?? {})
}

type Inside = {
  shape?: Record<string, unknown>
  element?: unknown
  /** Of a record. */
  keyType?: { options?: string[] }
  valueType?: unknown
  unwrap?: () => unknown
}

const unwrapped = (schema: unknown): Inside | undefined => {
  let here = schema as Inside | undefined
  while (here && !here.shape && !here.element && typeof here.unwrap === 'function') here = here.unwrap() as Inside
  return here
}
