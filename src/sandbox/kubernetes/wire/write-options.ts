import { invalidOptions } from '../objects/status.ts'

const verbs: Record<string, string> = { POST: 'Create', PUT: 'Update', PATCH: 'Patch', DELETE: 'Delete' }

/** What the query of a write may say. Throws 422 with all that is wrong in it. */
export const checkOptions = (method: string, query: URLSearchParams, isApply: boolean, more: string[] = []): void => {
  const verb = verbs[method]
  if (!verb) return
  const found: Parameters<typeof invalidOptions>[0] = []
  const dryRun = [...query.getAll('dryRun'), ...more]
  if (dryRun.some(it => it !== 'All'))
    found.push({
      field: 'dryRun',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    })
  const force = query.get('force')
  if (verb === 'Patch' && !isApply && force !== null)
    found.push({ field: 'force', message: 'may not be specified for non-apply patch' })
  if (isApply && !query.get('fieldManager'))
    found.push({
      field: 'fieldManager',
      reason: 'FieldValueRequired',
      message: 'Required value: is required for apply patch',
    })
  const validation = query.get('fieldValidation')
  if (verb !== 'Delete' && validation !== null && !['', 'Ignore', 'Warn', 'Strict'].includes(validation))
    found.push({
      field: 'fieldValidation',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`,
    })
  if (found.length > 0) throw invalidOptions(found, `${verb}Options`)
}
