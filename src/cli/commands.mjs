// Plain JavaScript, so that --help answers under any Node and before anything else is loaded.

/**
 * @typedef {{ type: 'string' | 'boolean' | 'optional' | 'list', value?: string, help: string }} FlagSpec
 * @typedef {{ summary: string, usage?: string, detail?: string, operands?: boolean, flags: Record<string, FlagSpec> }} CommandSpec
 */

/** @type {Record<string, FlagSpec>} */
const common = {
  context: { type: 'string', value: 'NAME', help: 'environment in inventory/ (EGRESS_CONTEXT, else sandbox)' },
  json: { type: 'boolean', help: 'one JSON object a line on stdout; the last is the summary' },
  verbose: { type: 'boolean', help: 'plain lines with every part of every step' },
  help: { type: 'boolean', help: 'this text' },
}

/** @type {Record<string, FlagSpec>} */
const changing = {
  check: { type: 'boolean', help: 'look and plan, change nothing; exit 3 when something would change' },
  diff: { type: 'boolean', help: 'show how contents differ' },
  limit: {
    type: 'string',
    value: 'PATTERN',
    help: 'only these tenants, namespaces, proxies or groups: a,b  web*  !c  &d',
  },
  tags: {
    type: 'string',
    value: 'A,B',
    help: 'only steps of these stages, phases, kinds or names, or tasks with these tags',
  },
  yes: { type: 'boolean', help: 'do not ask' },
  resume: { type: 'optional', value: '[RUN]', help: 'go on after a run that did not end, or that --pause stopped' },
}

/** Of a rollout that is under way, here or on another machine. @type {Record<string, FlagSpec>} */
const hand = {
  pause: { type: 'boolean', help: 'the rollout that is under way waits before its next phase' },
  promote: { type: 'boolean', help: 'the rollout that waits goes on now' },
  abort: { type: 'boolean', help: 'the rollout that is under way, or was left half-way, is taken back' },
}

/** @type {Record<string, FlagSpec>} */
const hearing = {
  since: { type: 'string', value: 'TIME', help: 'so long ago (90m, 24h, 7d; default 24h), or a day or time in UTC' },
  tenant: { type: 'string', value: 'NAME', help: 'only this one' },
  log: {
    type: 'list',
    value: 'FILE',
    help: 'read this copy of an audit log, plain or .gz, and ask no proxy; repeat it',
  },
}

/** @param {string} summary @returns {CommandSpec} */
const stage = summary => ({ summary, flags: { ...changing, ...common } })

/** @type {Record<string, CommandSpec>} */
export const commands = {
  deploy: {
    summary: 'all stages in order: gateway, proxy, cluster, configure, rollout, verify',
    flags: {
      replace: {
        type: 'list',
        value: 'ID',
        help: 'this network or cluster may be replaced, with all that lives in it; repeat it, or commas',
      },
      prune: {
        type: 'boolean',
        help: 'remove what this context made and the inventory no longer asks for; asks first',
      },
      out: { type: 'string', value: 'FILE', help: 'with --check: save the plan there; without it, --out is refused' },
      plan: { type: 'string', value: 'FILE', help: 'do exactly what this saved plan says, or refuse: the world moved' },
      ...hand,
      ...changing,
      ...common,
    },
  },
  '10-gateway': stage('VPC, private network, Public Gateway with NAT and bastion'),
  '20-proxy': stage('security group, flexible IPs, proxy VMs'),
  '30-cluster': stage('Kapsule cluster, pools, kubeconfig, namespaces, demo workloads'),
  '40-configure': {
    summary: 'Squid and UFW on the proxies',
    flags: {
      render: { type: 'string', value: 'DIR', help: 'write what each host would get, connect to none' },
      ...changing,
      ...common,
    },
  },
  '50-rollout': {
    summary: 'move the workloads: gateway, canary, batches, each with its gates',
    flags: { ...hand, ...changing, ...common },
  },
  '60-verify': {
    summary: 'prove it from inside the pods; changes nothing',
    flags: {
      tenant: { type: 'string', value: 'NAME', help: 'only this one' },
      evidence: { type: 'string', value: 'DIR', help: 'ask more, and write it there for an auditor: JSON and a page' },
      ...changing,
      ...common,
    },
  },
  rollback: {
    summary: 'undo a rollout, from the journal alone',
    flags: {
      to: {
        type: 'string',
        value: 'PHASE',
        help: 'start (default), gateway, canary or another phase: it stays, what came later goes',
      },
      run: { type: 'string', value: 'ID', help: 'only what this run did' },
      'from-cluster': { type: 'boolean', help: 'the journals are lost: what the cluster shows to be ours goes' },
      ...changing,
      ...common,
    },
  },
  status: {
    summary: 'what stands, which phase each workload is in, last runs',
    flags: {
      watch: { type: 'boolean', help: 'only the workloads of a rollout, again and again until its run ends' },
      limit: /** @type {FlagSpec} */ (changing.limit),
      ...common,
    },
  },
  drain: {
    summary: 'a proxy before maintenance: it gets nothing new, and its tunnels are waited for; alone: who gets what',
    flags: {
      proxy: { type: 'string', value: 'NAME', help: 'one of several proxies of its tenants' },
      undo: { type: 'boolean', help: 'it gets new connections again' },
      within: { type: 'string', value: 'TIME', help: 'how long open connections are waited for (10m)' },
      check: /** @type {FlagSpec} */ (changing.check),
      ...common,
    },
  },
  report: {
    summary: 'what left, by tenant, from the audit logs: destinations, denials, entries that nothing used',
    flags: {
      ...hearing,
      format: { type: 'string', value: 'FORMAT', help: 'table (default), json or html' },
      output: { type: 'string', value: 'FILE', help: 'write it there, readable for you alone' },
      ...common,
    },
  },
  replay: {
    summary: 'the audit logs against the inventory as it is now: which requests would end otherwise',
    flags: { ...hearing, ...common },
  },
  policy: {
    summary: 'the numbered policies that the proxies have, and which is in force; --to brings one back',
    flags: {
      tenant: { type: 'string', value: 'NAME', help: 'only this tenant' },
      to: { type: 'string', value: 'REVISION', help: 'previous, a number or a hash: this one is in force again' },
      check: /** @type {FlagSpec} */ (changing.check),
      yes: /** @type {FlagSpec} */ (changing.yes),
      ...common,
    },
  },
  inventory: {
    summary: "dynamic inventory in Ansible's JSON",
    flags: {
      list: { type: 'boolean', help: 'all groups, hosts and their variables' },
      host: { type: 'string', value: 'NAME', help: 'the variables of one host' },
      from: {
        type: 'string',
        value: 'PATH',
        help: 'read this inventory of Ansible instead (INI, YAML or a folder), as ansible-inventory would',
      },
      ...common,
    },
  },
  explain: {
    summary: 'allow or deny, by which entry, and the smallest change that would turn it; asks the inventory alone',
    usage: '--tenant NAME [flags] URL | CONNECT HOST:PORT',
    operands: true,
    flags: {
      tenant: { type: 'string', value: 'NAME', help: 'who asks' },
      method: { type: 'string', value: 'METHOD', help: 'of a plain HTTP request (GET); a tunnel hides it' },
      resolve: { type: 'list', value: 'ADDRESS', help: 'what the name resolves to, or none; repeat it, or commas' },
      ...common,
    },
  },
  monitoring: {
    summary: 'what Prometheus and Grafana read: targets, alert rules, a dashboard; asks the inventory alone',
    flags: {
      render: { type: 'string', value: 'DIR', help: 'write them there' },
      ...common,
    },
  },
  destroy: {
    summary: 'everything this context made, in reverse order',
    flags: { force: { type: 'boolean', help: 'also while a rollout is live' }, ...changing, ...common },
  },
  sandbox: {
    summary: 'the embedded cloud',
    usage: 'up | down | status [--json] | exec HOST -- CMD... | partner [ADDRESS]',
    detail: 'up starts it, down leaves the machine as it was, exec runs a command inside a host or pod.',
    flags: {},
  },
}

/** @param {string} name */
export const helpOf = name => {
  const { summary, usage = '[flags]', detail, flags } = /** @type {CommandSpec} */ (commands[name])
  const file = name === 'rollback' ? 'rollback.ts' : `${name}.mjs`
  const rows = Object.entries(flags).map(([flag, { value, help }]) => [`  --${flag}${value ? ` ${value}` : ''}`, help])
  const width = Math.max(0, ...rows.map(([left = '']) => left.length)) + 2
  return [
    `npx zx scripts/${file} ${usage}`,
    '',
    `  ${summary}`,
    ...(detail ? [`  ${detail}`] : []),
    ...(rows.length > 0 ? ['', ...rows.map(([left = '', help]) => left.padEnd(width) + help)] : []),
    '',
    'exit codes: 0 done or nothing to do, 1 failed, 2 bad input, 3 --check found changes, 4 another run holds the lock,',
    '            5 a gate failed and the run was rolled back, 6 rolling back got stuck, 130 interrupted',
    '',
  ].join('\n')
}
