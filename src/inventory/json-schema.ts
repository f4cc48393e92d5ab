import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { contextSchema } from './schema-context.ts'
import { tenantSchema } from './schema-tenant.ts'

/** JSON Schemas for editors, generated from the validators: file name -> text. */
export const jsonSchemas = (): Record<string, string> => {
  const text = (schema: z.ZodType, title: string) =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) }, null, 2)}\n`
  return {
    'context.schema.json': text(contextSchema, 'kapsule-egress context'),
    'tenant.schema.json': text(tenantSchema, 'kapsule-egress tenant'),
  }
}

/** `npm run schema` writes them beside the inventory. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'inventory', 'schema')
  mkdirSync(folder, { recursive: true })
  for (const [name, schema] of Object.entries(jsonSchemas())) writeFileSync(join(folder, name), schema)
}
