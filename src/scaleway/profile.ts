import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Problem } from '../engine/problem.ts'

/** Who we are at Scaleway, and where. Holds the secret key: never print it. */
export type Profile = {
  accessKey: string
  secretKey: string
  apiUrl?: string
  projectId: string
  organizationId?: string
  region: string
  zone: string
}

export type ProfileOptions = {
  /** A config file that the context names: then the environment has no say. */
  config?: string | undefined
  profile?: string | undefined
  region?: string | undefined
  zone?: string | undefined
  projectId?: string | undefined
  env?: Record<string, string | undefined>
}

type Fields = Record<string, string | undefined>

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Every value: where the environment and the file keep it, and what it looks like. */
const values = [
  {
    key: 'access_key',
    env: 'SCW_ACCESS_KEY',
    needed: true,
    like: /^SCW[A-Z0-9]{17}$/i,
    shape: 'SCW and 17 characters',
  },
  { key: 'secret_key', env: 'SCW_SECRET_KEY', needed: true, like: uuid, shape: 'a UUID' },
  { key: 'default_project_id', env: 'SCW_DEFAULT_PROJECT_ID', needed: true, like: uuid, shape: 'a UUID' },
  { key: 'default_organization_id', env: 'SCW_DEFAULT_ORGANIZATION_ID', needed: false, like: uuid, shape: 'a UUID' },
  { key: 'default_region', env: 'SCW_DEFAULT_REGION', needed: true, like: /^[a-z]{2}-[a-z]{3}$/, shape: 'e.g. fr-par' },
  {
    key: 'default_zone',
    env: 'SCW_DEFAULT_ZONE',
    needed: true,
    like: /^[a-z]{2}-[a-z]{3}-[1-9]$/,
    shape: 'e.g. fr-par-1',
  },
  { key: 'api_url', env: 'SCW_API_URL', needed: false, like: /^https?:\/\/[^\s]+$/, shape: 'an http(s) URL' },
]

/** The way Scaleway's own tools find credentials: the environment, over a profile of the config file. */
export const readProfile = async (options: ProfileOptions): Promise<Profile> => {
  const { config, env = process.env } = options
  const path = config ?? configPath(env)
  const file = path ? await readConfig(path, { required: config !== undefined }) : {}
  const profile = profileIn(file, options.profile ?? (config ? undefined : env.SCW_PROFILE), path)
  const given: Fields = {
    default_project_id: options.projectId,
    default_region: options.region,
    default_zone: options.zone,
  }
  const found = Object.fromEntries(
    values.map(({ key, env: name }) => [key, given[key] || (config ? undefined : env[name]) || text(profile[key])]),
  ) as Fields
  check(found, config)
  const { access_key = '', secret_key = '', default_project_id = '', default_region = '', default_zone = '' } = found
  return {
    accessKey: access_key,
    secretKey: secret_key,
    projectId: default_project_id,
    region: default_region,
    zone: default_zone,
    ...(found.default_organization_id && { organizationId: found.default_organization_id }),
    ...(found.api_url && { apiUrl: found.api_url.replace(/\/+$/, '') }),
  }
}

/** Before the SDK sees it: the SDK prints a malformed secret in its error. */
const check = (found: Fields, config: string | undefined): void => {
  const missing = values.filter(({ key, needed }) => needed && !found[key])
  const odd = values.filter(({ key, like }) => found[key] && !like.test(found[key]))
  const { default_region: region, default_zone: zone } = found
  const apart = region && zone && odd.length === 0 && !zone.startsWith(`${region}-`)
  if (missing.length === 0 && odd.length === 0 && !apart) return
  throw new Problem('the Scaleway credentials are not complete', {
    why: [
      ...missing.map(({ key, env }) => `${config ? key : env} is missing`),
      ...odd.map(({ key, env, shape }) => `${config ? key : env} should be ${shape}`),
      ...(apart ? [`zone ${zone} is not in region ${region}`] : []),
    ].join('; '),
    next: config
      ? `add it to ${config}`
      : 'set the variables, run `scw init`, or name a profile with SCW_PROFILE; region and zone may stand in context.yaml',
    exit: 2,
    ...(config && { of: named('config') }),
  })
}

const configPath = (env: Fields): string | undefined => {
  if (env.SCW_CONFIG_PATH) return env.SCW_CONFIG_PATH
  if (env.XDG_CONFIG_HOME) return join(env.XDG_CONFIG_HOME, 'scw', 'config.yaml')
  return env.HOME ? join(env.HOME, '.config', 'scw', 'config.yaml') : undefined
}

const readConfig = async (path: string, { required }: { required: boolean }): Promise<Record<string, unknown>> => {
  try {
    const read: unknown = parse(await readFile(path, 'utf8'))
    return isObject(read) ? read : {}
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (absent && !required) return {}
    throw new Problem(`${path} cannot be read`, {
      why: absent ? 'there is no such file' : firstLine(error), // only the first: the rest quotes the file
      next: absent ? 'correct its path in context.yaml, or make it with `scw init`' : 'correct the file',
      exit: 2,
      ...(required && { of: named('config') }),
    })
  }
}

/** The top level is the default profile; a named one is laid over it. */
const profileIn = (file: Record<string, unknown>, asked: string | undefined, path: string | undefined) => {
  const name = asked || text(file.active_profile)
  if (!name || name === 'default') return file
  const profiles = isObject(file.profiles) ? file.profiles : {}
  const profile = profiles[name]
  if (isObject(profile)) return { ...file, ...profile }
  throw new Problem(`there is no profile ${name}`, {
    why: `${path ?? 'the config file'} has ${Object.keys(profiles).join(', ') || 'no profiles'}`,
    next: 'correct the name in context.yaml or SCW_PROFILE, or add the profile with `scw init -p NAME`',
    exit: 2,
  })
}

/** What the context itself says of the profile. */
const named = (field: string) => ({ step: 'scaleway', field })

const isObject = (it: unknown): it is Record<string, unknown> => typeof it === 'object' && it !== null
const text = (it: unknown): string | undefined => (typeof it === 'string' && it !== '' ? it : undefined)
const firstLine = (error: unknown): string => String((error as Error).message).split('\n', 1)[0] ?? ''
